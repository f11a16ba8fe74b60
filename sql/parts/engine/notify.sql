-- notify: the secret of notification channels (src/engine/notify.c).

CREATE TABLE orchestration.secret (
    name  text NOT NULL,
    value uuid NOT NULL DEFAULT gen_random_uuid(),
    CONSTRAINT secret_pkey PRIMARY KEY (name)
);
COMMENT ON TABLE orchestration.secret IS
    'Secrets that only the extension knows: names of notification channels are hashed with one';

INSERT INTO orchestration.secret (name) VALUES ('channel');

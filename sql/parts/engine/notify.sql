-- notify: the secret of notification channels (src/engine/notify.c).

CREATE TABLE orchestration.secret (
    name  text NOT NULL,
    value uuid NOT NULL DEFAULT gen_random_uuid(),
    CONSTRAINT secret_pkey PRIMARY KEY (name)
);
COMMENT ON TABLE orchestration.secret IS
    'Secrets that only the extension knows: names of notification channels are hashed with one';

INSERT INTO orchestration.secret (name) VALUES ('channel');

CREATE TYPE orchestration.listen_channel AS (channel text, max_wait interval);
COMMENT ON TYPE orchestration.listen_channel IS
    'A channel on which the session is notified, null: the session cannot be notified; and the time to wait at most before the client looks again, null: no limit';

-- feed: posts, comments, likes and tracked changes on records (src/call/feed.c).  A user
-- who sees a record sees its feed.  The Feed objects are views of them
-- (call/associated_object.sql).

CREATE TYPE orchestration.feed_item_type AS ENUM
    ('TextPost', 'LinkPost', 'CreatedRecordEvent', 'TrackedChange');
COMMENT ON TYPE orchestration.feed_item_type IS
    'Feed.Type (contract/picklists.csv)';

CREATE TYPE orchestration.feed_visibility AS ENUM ('AllUsers', 'InternalUsers');
COMMENT ON TYPE orchestration.feed_visibility IS
    'Feed.Visibility (contract/picklists.csv)';

CREATE TABLE orchestration.feed_item (
    run_id        uuid        NOT NULL,
    id            uuid        NOT NULL DEFAULT orchestration.new_id(),
    record_id     uuid        NOT NULL,
    object        orchestration.shared_object NOT NULL,
    type          orchestration.feed_item_type NOT NULL,
    visibility    orchestration.feed_visibility NOT NULL DEFAULT 'AllUsers',
    is_rich_text  boolean     NOT NULL DEFAULT false,
    comment_count integer     NOT NULL DEFAULT 0,
    like_count    integer     NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    created_by    uuid,
    modified_at   timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    body          text,
    link_url      text,
    title         text,
    CONSTRAINT feed_item_pkey PRIMARY KEY (run_id, id),
    CONSTRAINT feed_item_run_fkey FOREIGN KEY (run_id)
        REFERENCES orchestration.run (id) ON DELETE CASCADE,
    CONSTRAINT feed_item_object_check CHECK (object <> 'FlowOrchestrationWorkItem'),
    CONSTRAINT feed_item_body_check
        CHECK (length(body) <= 10000 AND (type <> 'TextPost' OR body IS NOT NULL)),
    CONSTRAINT feed_item_link_url_check
        CHECK ((type = 'LinkPost') = (link_url IS NOT NULL) AND length(link_url) <= 1000),
    CONSTRAINT feed_item_title_check CHECK (length(title) <= 255),
    CONSTRAINT feed_item_counts_check CHECK (comment_count >= 0 AND like_count >= 0),
    CONSTRAINT feed_item_times_check
        CHECK (orchestration_internal.time_in_range('created_at of a feed item', created_at)
               AND orchestration_internal.time_in_range('modified_at of a feed item', modified_at))
) WITH (fillfactor = 90);
CREATE INDEX feed_item_id_idx ON orchestration.feed_item (id);
CREATE INDEX feed_item_record_idx ON orchestration.feed_item (record_id, id);
CREATE UNIQUE INDEX feed_item_tracked_change_idx
    ON orchestration.feed_item (run_id, record_id, created_at)
    WHERE type = 'TrackedChange';
CREATE INDEX feed_item_modified_idx ON orchestration.feed_item USING brin (modified_at);
COMMENT ON TABLE orchestration.feed_item IS
    'Posts and tracked changes on runs, stages and steps: the Feed objects (contract/fields.csv)';
COMMENT ON COLUMN orchestration.feed_item.created_by IS
    'User who posted the item; null: the automated process user';
COMMENT ON COLUMN orchestration.feed_item.comment_count IS
    'Number of comments; a trigger of feed_comment maintains it under the lock of this row';
COMMENT ON COLUMN orchestration.feed_item.like_count IS
    'Number of likes; a trigger of feed_like maintains it under the lock of this row';
SELECT pg_catalog.pg_extension_config_dump('orchestration.feed_item', '');

CREATE TABLE orchestration.feed_comment (
    run_id       uuid        NOT NULL,
    id           uuid        NOT NULL DEFAULT orchestration.new_id(),
    feed_item_id uuid        NOT NULL,
    record_id    uuid        NOT NULL,
    object       orchestration.shared_object NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    created_by   uuid,
    body         text        NOT NULL,
    CONSTRAINT feed_comment_pkey PRIMARY KEY (run_id, id),
    CONSTRAINT feed_comment_feed_item_fkey FOREIGN KEY (run_id, feed_item_id)
        REFERENCES orchestration.feed_item (run_id, id) ON DELETE CASCADE,
    CONSTRAINT feed_comment_body_check CHECK (body <> '' AND length(body) <= 10000),
    CONSTRAINT feed_comment_times_check
        CHECK (orchestration_internal.time_in_range('created_at of a comment', created_at))
);
CREATE INDEX feed_comment_id_idx ON orchestration.feed_comment (id);
CREATE INDEX feed_comment_feed_item_idx ON orchestration.feed_comment (run_id, feed_item_id);
COMMENT ON TABLE orchestration.feed_comment IS
    'Comments on feed items; record_id and object are those of the item';
SELECT pg_catalog.pg_extension_config_dump('orchestration.feed_comment', '');

CREATE TABLE orchestration.feed_like (
    run_id       uuid        NOT NULL,
    feed_item_id uuid        NOT NULL,
    user_id      uuid        NOT NULL,
    record_id    uuid        NOT NULL,
    object       orchestration.shared_object NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    CONSTRAINT feed_like_pkey PRIMARY KEY (run_id, feed_item_id, user_id),
    CONSTRAINT feed_like_feed_item_fkey FOREIGN KEY (run_id, feed_item_id)
        REFERENCES orchestration.feed_item (run_id, id) ON DELETE CASCADE,
    CONSTRAINT feed_like_times_check
        CHECK (orchestration_internal.time_in_range('created_at of a like', created_at))
);
COMMENT ON TABLE orchestration.feed_like IS
    'Users who like a feed item; record_id and object are those of the item';
SELECT pg_catalog.pg_extension_config_dump('orchestration.feed_like', '');

CREATE TABLE orchestration.feed_tracked_change (
    run_id       uuid    NOT NULL,
    feed_item_id uuid    NOT NULL,
    number       integer NOT NULL,
    record_id    uuid    NOT NULL,
    object       orchestration.shared_object NOT NULL,
    field        text    NOT NULL,
    old_value    text,
    new_value    text,
    CONSTRAINT feed_tracked_change_pkey PRIMARY KEY (run_id, feed_item_id, number),
    CONSTRAINT feed_tracked_change_feed_item_fkey FOREIGN KEY (run_id, feed_item_id)
        REFERENCES orchestration.feed_item (run_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE orchestration.feed_tracked_change IS
    'Field changes of feed items of type TrackedChange; each record has one such item per transaction';
SELECT pg_catalog.pg_extension_config_dump('orchestration.feed_tracked_change', '');

CREATE FUNCTION orchestration_internal.feed_count() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_feed_count';
COMMENT ON FUNCTION orchestration_internal.feed_count() IS
    'Trigger: maintains the numbers of comments and likes of feed items';

CREATE FUNCTION orchestration_internal.feed_change() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_feed_change';
COMMENT ON FUNCTION orchestration_internal.feed_change() IS
    'Trigger of the feed views: deletes feed items';

CREATE TRIGGER feed_comment_count AFTER INSERT OR DELETE ON orchestration.feed_comment
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.feed_count();
CREATE TRIGGER feed_like_count AFTER INSERT OR DELETE ON orchestration.feed_like
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.feed_count();
CREATE TRIGGER feed_item_guard_truncate BEFORE TRUNCATE ON orchestration.feed_item
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_keep();
CREATE TRIGGER feed_comment_guard_truncate BEFORE TRUNCATE ON orchestration.feed_comment
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_keep();
CREATE TRIGGER feed_like_guard_truncate BEFORE TRUNCATE ON orchestration.feed_like
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_keep();

CREATE FUNCTION orchestration.post_to_feed(
    record_id uuid,
    body text DEFAULT NULL,
    link_url text DEFAULT NULL,
    title text DEFAULT NULL,
    visibility orchestration.feed_visibility DEFAULT 'AllUsers',
    is_rich_text boolean DEFAULT false)
    RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_post_to_feed';
COMMENT ON FUNCTION orchestration.post_to_feed(uuid, text, text, text, orchestration.feed_visibility, boolean) IS
    'Posts a text, or a link if link_url is given, to the feed of a run, stage or step; returns the id of the feed item';

CREATE FUNCTION orchestration.comment_on_feed_item(feed_item_id uuid, body text)
    RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_comment_on_feed_item';
COMMENT ON FUNCTION orchestration.comment_on_feed_item(uuid, text) IS
    'Adds a comment to a feed item; returns the id of the comment';

CREATE FUNCTION orchestration.delete_feed_comment(comment_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_delete_feed_comment';
COMMENT ON FUNCTION orchestration.delete_feed_comment(uuid) IS
    'Deletes a comment of the caller, or with Modify All Data any comment; returns false if there is no such comment';

CREATE FUNCTION orchestration.like_feed_item(feed_item_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_like_feed_item';
COMMENT ON FUNCTION orchestration.like_feed_item(uuid) IS
    'Adds a like of the caller to a feed item; returns false if the caller already likes it';

CREATE FUNCTION orchestration.unlike_feed_item(feed_item_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_unlike_feed_item';
COMMENT ON FUNCTION orchestration.unlike_feed_item(uuid) IS
    'Removes the like of the caller from a feed item; returns false if there is none';

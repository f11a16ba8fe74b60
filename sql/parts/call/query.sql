-- query: SOQL (src/call/query*.c), and what is kept of results with several pages.

CREATE UNLOGGED TABLE orchestration.query_locator (
    id              uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    soql            text        NOT NULL,
    api_version     integer     NOT NULL,
    include_deleted boolean     NOT NULL,
    batch_size      integer     NOT NULL,
    total           bigint      NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT statement_timestamp(),
    CONSTRAINT query_locator_pkey PRIMARY KEY (id),
    CONSTRAINT query_locator_times_check
        CHECK (orchestration_internal.time_in_range('created_at of a locator', created_at))
);
CREATE INDEX query_locator_user_idx ON orchestration.query_locator (user_id, created_at);
CREATE INDEX query_locator_created_idx ON orchestration.query_locator (created_at);
COMMENT ON TABLE orchestration.query_locator IS
    'Queries whose result has several pages, for query_more(); kept for two days. Unlogged: after a crash the query has to be repeated';
COMMENT ON COLUMN orchestration.query_locator.api_version IS
    'API version, times ten';
COMMENT ON COLUMN orchestration.query_locator.total IS
    'Records of the whole result: totalSize';

CREATE UNLOGGED TABLE orchestration.query_locator_page (
    locator_id uuid   NOT NULL,
    first      bigint NOT NULL,
    ids        uuid[] NOT NULL,
    CONSTRAINT query_locator_page_pkey PRIMARY KEY (locator_id, first),
    CONSTRAINT query_locator_page_locator_fkey FOREIGN KEY (locator_id)
        REFERENCES orchestration.query_locator (id) ON DELETE CASCADE
);
-- random bytes, which compression only delays
ALTER TABLE orchestration.query_locator_page ALTER COLUMN ids SET STORAGE EXTERNAL;
COMMENT ON TABLE orchestration.query_locator_page IS
    'Ids of the records on one page of a result';
COMMENT ON COLUMN orchestration.query_locator_page.first IS
    'Position of the first record of the page in the result, from 0';

CREATE FUNCTION orchestration.query(
    soql text,
    api_version numeric DEFAULT NULL,
    batch_size integer DEFAULT 2000,
    include_deleted boolean DEFAULT false)
    RETURNS json
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_query';
COMMENT ON FUNCTION orchestration.query(text, numeric, integer, boolean) IS
    'query and queryAll: executes a SOQL query as the caller; returns totalSize, done, records, and nextRecordsUrl if there are more than batch_size records';

CREATE FUNCTION orchestration.query_more(locator text)
    RETURNS json
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_query_more';
COMMENT ON FUNCTION orchestration.query_more(text) IS
    'queryMore: returns the next page of a result; locator is nextRecordsUrl or its last part';

CREATE FUNCTION orchestration.explain_soql(
    soql text,
    api_version numeric DEFAULT NULL)
    RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_explain_soql';
COMMENT ON FUNCTION orchestration.explain_soql(text, numeric) IS
    'Returns the SQL that query() executes for a SOQL query, with parameters in place of values';

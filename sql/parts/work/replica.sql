-- replica: promotion of a logical replica (src/work/replica.c).

CREATE FUNCTION orchestration.advance_sequences(OUT sequence text, OUT last_value bigint)
    RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_advance_sequences';
COMMENT ON FUNCTION orchestration.advance_sequences() IS
    'Sets the sequences past the numbers that the tables hold, and returns their new values; for a logical replica that becomes the primary, because sequences do not replicate';

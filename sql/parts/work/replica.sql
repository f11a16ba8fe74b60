-- replica: promotion of a logical replica (src/work/replica.c).

CREATE TYPE orchestration.advanced_sequence AS (
    sequence text,
    last_value bigint);
COMMENT ON TYPE orchestration.advanced_sequence IS
    'A sequence of the extension, of advance_sequences()';

CREATE FUNCTION orchestration.advance_sequences()
    RETURNS SETOF orchestration.advanced_sequence
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_advance_sequences';
COMMENT ON FUNCTION orchestration.advance_sequences() IS
    'Sets the sequences past the numbers that the tables hold, and returns their new values; for a logical replica that becomes the primary, because sequences do not replicate';

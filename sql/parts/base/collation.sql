-- collation: how SOQL (src/call/query_write.c) compares texts.

-- Without regard to case, for names and texts in SOQL.  An index with this collation is
-- usable below row security, because texteq() is leakproof.  A database whose encoding ICU
-- does not know, and a server without ICU, compare with regard to case.
DO $$
BEGIN
    CREATE COLLATION orchestration.case_insensitive
        (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE COLLATION orchestration.unicode (provider = icu, locale = 'und');
EXCEPTION
    WHEN feature_not_supported OR invalid_object_definition OR undefined_object
      OR invalid_parameter_value THEN
        CREATE COLLATION orchestration.case_insensitive (provider = libc, locale = 'C');
        CREATE COLLATION orchestration.unicode (provider = libc, locale = 'C');
END
$$;
COMMENT ON COLLATION orchestration.case_insensitive IS
    'Without regard to case: how SOQL compares, groups and sorts texts';
COMMENT ON COLLATION orchestration.unicode IS
    'Folds case for LIKE of SOQL, in any database';

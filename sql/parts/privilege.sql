-- privilege: nothing is anybody's but the owner's until it is granted.
--
-- Tables, views and sequences come without grants.  Functions come with EXECUTE
-- for PUBLIC, and types with USAGE; the functions' is taken away here.

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA orchestration FROM PUBLIC;

-- membership: which members a group or queue may have (src/access/membership.c).

CREATE FUNCTION orchestration_internal.guard_membership() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_guard_membership';
COMMENT ON FUNCTION orchestration_internal.guard_membership() IS
    'Trigger: checks which members a group or queue may have; no group can contain itself, directly or through other groups';

CREATE TRIGGER membership_guard_fill
    BEFORE INSERT OR UPDATE ON orchestration.membership
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.guard_membership();
CREATE TRIGGER membership_guard_cycle
    AFTER INSERT ON orchestration.membership
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.guard_membership();

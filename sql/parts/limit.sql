-- limit: the times and intervals that rows can have (src/base/limit.c).
--
-- For whoever writes a table by hand, or loads one.  A time that is infinite makes
-- views fail that subtract it and log entries without an id; an interval too long to
-- be added to a time fails the claims of others.

CREATE FUNCTION orchestration.time_in_range(name text, value timestamptz)
    RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_time_in_range';
COMMENT ON FUNCTION orchestration.time_in_range(text, timestamptz) IS
    'For constraints: true, or an error for a time before 1970, after 9999 or infinite';

CREATE FUNCTION orchestration.interval_in_range(name text, value interval)
    RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_interval_in_range';
COMMENT ON FUNCTION orchestration.interval_in_range(text, interval) IS
    'For constraints: true, or an error for an interval of more than 100 years or with a negative part';

ALTER TABLE orchestration.run ADD CONSTRAINT run_times_check
    CHECK (orchestration.time_in_range('created_at of a run', created_at)
           AND orchestration.time_in_range('modified_at of a run', modified_at)
           AND orchestration.time_in_range('ended_at of a run', ended_at));
ALTER TABLE orchestration.stage_run ADD CONSTRAINT stage_run_times_check
    CHECK (orchestration.time_in_range('created_at of a stage', created_at)
           AND orchestration.time_in_range('modified_at of a stage', modified_at)
           AND orchestration.time_in_range('ended_at of a stage', ended_at));
ALTER TABLE orchestration.step_run ADD CONSTRAINT step_run_times_check
    CHECK (orchestration.time_in_range('created_at of a step', created_at)
           AND orchestration.time_in_range('modified_at of a step', modified_at)
           AND orchestration.time_in_range('started_at of a step', started_at)
           AND orchestration.time_in_range('ended_at of a step', ended_at));
ALTER TABLE orchestration.work_item ADD CONSTRAINT work_item_times_check
    CHECK (orchestration.time_in_range('created_at of a work item', created_at)
           AND orchestration.time_in_range('modified_at of a work item', modified_at)
           AND orchestration.time_in_range('assigned_at of a work item', assigned_at)
           AND orchestration.time_in_range('completed_at of a work item', completed_at)
           AND orchestration.time_in_range('due_at of a work item', due_at));
ALTER TABLE orchestration.step_attempt ADD CONSTRAINT step_attempt_times_check
    CHECK (orchestration.time_in_range('claimed_at of an attempt', claimed_at)
           AND orchestration.time_in_range('ended_at of an attempt', ended_at));
ALTER TABLE orchestration.run_log ADD CONSTRAINT run_log_times_check
    CHECK (orchestration.time_in_range('logged_at of a log entry', logged_at));
-- the number is the last 15 hexadecimal digits of the id
ALTER TABLE orchestration.run_log ADD CONSTRAINT run_log_number_check
    CHECK (number >= 0 AND number < 1152921504606846976);
ALTER TABLE orchestration.share_grant ADD CONSTRAINT share_grant_times_check
    CHECK (orchestration.time_in_range('modified_at of a share', modified_at));
ALTER TABLE orchestration.owner_sharing_rule ADD CONSTRAINT owner_sharing_rule_times_check
    CHECK (orchestration.time_in_range('created_at of a sharing rule', created_at)
           AND orchestration.time_in_range('modified_at of a sharing rule', modified_at));
ALTER TABLE orchestration.field_change ADD CONSTRAINT field_change_times_check
    CHECK (orchestration.time_in_range('changed_at of a change', changed_at));
ALTER TABLE orchestration.feed_item ADD CONSTRAINT feed_item_times_check
    CHECK (orchestration.time_in_range('created_at of a feed item', created_at)
           AND orchestration.time_in_range('modified_at of a feed item', modified_at));
ALTER TABLE orchestration.feed_comment ADD CONSTRAINT feed_comment_times_check
    CHECK (orchestration.time_in_range('created_at of a comment', created_at));
ALTER TABLE orchestration.feed_like ADD CONSTRAINT feed_like_times_check
    CHECK (orchestration.time_in_range('created_at of a like', created_at));
ALTER TABLE orchestration.record_view ADD CONSTRAINT record_view_times_check
    CHECK (orchestration.time_in_range('viewed_at of a view of a record', viewed_at)
           AND orchestration.time_in_range('referenced_at of a view of a record', referenced_at));
ALTER TABLE orchestration.tombstone ADD CONSTRAINT tombstone_times_check
    CHECK (orchestration.time_in_range('deleted_at of a tombstone', deleted_at));
ALTER TABLE orchestration.tombstone_horizon ADD CONSTRAINT tombstone_horizon_times_check
    CHECK (orchestration.time_in_range('purged_until of a horizon', purged_until));
ALTER TABLE orchestration.principal ADD CONSTRAINT principal_times_check
    CHECK (orchestration.time_in_range('created_at of a principal', created_at)
           AND orchestration.time_in_range('modified_at of a principal', modified_at));
ALTER TABLE orchestration.membership ADD CONSTRAINT membership_times_check
    CHECK (orchestration.time_in_range('created_at of a membership', created_at));
ALTER TABLE orchestration.record_type ADD CONSTRAINT record_type_times_check
    CHECK (orchestration.time_in_range('created_at of a record type', created_at));
ALTER TABLE orchestration.global_value ADD CONSTRAINT global_value_times_check
    CHECK (orchestration.time_in_range('modified_at of a global value', modified_at));
ALTER TABLE orchestration.orchestration_definition ADD CONSTRAINT orchestration_definition_times_check
    CHECK (orchestration.time_in_range('created_at of an orchestration', created_at)
           AND orchestration.time_in_range('modified_at of an orchestration', modified_at));
ALTER TABLE orchestration.orchestration_version ADD CONSTRAINT orchestration_version_times_check
    CHECK (orchestration.time_in_range('created_at of a version', created_at));

ALTER TABLE orchestration.action ADD CONSTRAINT action_times_check
    CHECK (orchestration.time_in_range('created_at of an action', created_at)
           AND orchestration.time_in_range('modified_at of an action', modified_at));
ALTER TABLE orchestration.action ADD CONSTRAINT action_intervals_check
    CHECK (orchestration.interval_in_range('retry_delay', retry_delay)
           AND orchestration.interval_in_range('retry_max_delay', retry_max_delay)
           AND orchestration.interval_in_range('timeout', timeout)
           AND orchestration.interval_in_range('due', due));
-- available_at is infinity while the run is in Error; a lease that ends when it begins
-- would be given again and again by one claim
ALTER TABLE orchestration.step_queue ADD CONSTRAINT step_queue_times_check
    CHECK (orchestration.time_in_range('available_at of a queued step', NULLIF(available_at, 'infinity'))
           AND orchestration.time_in_range('leased_until of a queued step', leased_until)
           AND orchestration.time_in_range('claimed_at of a queued step', claimed_at)
           AND orchestration.interval_in_range('timeout', timeout) AND timeout > '0');

-- type: the enum types.  Those of the documented objects have the labels of
-- contract/picklists.csv in their order.  C finds the labels in src/base/catalog.c.

CREATE TYPE orchestration.run_status AS ENUM
    ('Canceled', 'Completed', 'Error', 'InProgress', 'Suspended');
COMMENT ON TYPE orchestration.run_status IS
    'FlowOrchestrationInstance.Status (contract/picklists.csv)';

CREATE TYPE orchestration.stage_status AS ENUM
    ('Completed', 'Discontinued', 'Error', 'InProgress', 'Suspended');
COMMENT ON TYPE orchestration.stage_status IS
    'FlowOrchestrationStageInstance.Status (contract/picklists.csv)';

CREATE TYPE orchestration.step_status AS ENUM
    ('Completed', 'Discontinued', 'Error', 'InProgress', 'NotStarted');
COMMENT ON TYPE orchestration.step_status IS
    'FlowOrchestrationStepInstance.Status (contract/picklists.csv)';

CREATE TYPE orchestration.step_type AS ENUM
    ('InteractiveStep', 'BackgroundStep', 'AynchronousBackgroundStep');
COMMENT ON TYPE orchestration.step_type IS
    'FlowOrchestrationStepInstance.StepType, spelled as in the reference (contract/picklists.csv)';

CREATE TYPE orchestration.work_item_status AS ENUM
    ('Assigned', 'Completed');
COMMENT ON TYPE orchestration.work_item_status IS
    'FlowOrchestrationWorkItem.Status (contract/picklists.csv)';

CREATE TYPE orchestration.approval_submission_status AS ENUM
    ('Approved', 'Canceled', 'Errored', 'InProgress', 'Recalled', 'Rejected', 'Suspended');
COMMENT ON TYPE orchestration.approval_submission_status IS
    'ApprovalSubmission.Status (contract/picklists.csv)';

CREATE TYPE orchestration.approval_work_item_status AS ENUM
    ('Approved', 'Assigned', 'Canceled', 'Errored', 'Recalled', 'Rejected', 'Withdrawn');
COMMENT ON TYPE orchestration.approval_work_item_status IS
    'ApprovalWorkItem.Status (contract/picklists.csv)';

CREATE TYPE orchestration.approval_action AS ENUM
    ('Cancel', 'Override', 'Reassign', 'Recall', 'Review');
COMMENT ON TYPE orchestration.approval_action IS
    'ApprovalSubmissionDetail.ActionName (contract/picklists.csv)';

CREATE TYPE orchestration.approval_performer_role AS ENUM
    ('Admin', 'Assignee', 'Delegate', 'Submitter', 'System');
COMMENT ON TYPE orchestration.approval_performer_role IS
    'ApprovalSubmissionDetail.ActionPerformerRole (contract/picklists.csv)';

CREATE TYPE orchestration.approval_channel AS ENUM
    ('ApprovalRecord', 'Email', 'InvocableAction', 'ScreenFlow', 'Slack', 'System');
COMMENT ON TYPE orchestration.approval_channel IS
    'ApprovalSubmissionDetail.ActionChannelName (contract/picklists.csv)';

CREATE TYPE orchestration.message_kind AS ENUM
    ('Assigned', 'Reminded', 'Reviewed', 'Recalled', 'Canceled', 'Failed');
COMMENT ON TYPE orchestration.message_kind IS
    'Kinds of messages, by what happened';

CREATE TYPE orchestration.assignee_type AS ENUM
    ('Group', 'Invalid', 'Queue', 'User');
COMMENT ON TYPE orchestration.assignee_type IS
    'FlowOrchestrationLog.AssigneeType (contract/picklists.csv)';

CREATE TYPE orchestration.log_kind AS ENUM
    ('CancelInstance', 'DiscontinueStage', 'DiscontinueStep', 'EndInstance',
     'EndStage', 'EndStep', 'EndWorkItem', 'FailInstance', 'FailStage',
     'FailStep', 'ResumeInstance', 'ReassignWorkItem', 'RunRecallPath', 'StartInstance',
     'StartStage', 'StartStep', 'StartWorkItem', 'SuspendInstance',
     'SuspendStage', 'MigrateInstance');
COMMENT ON TYPE orchestration.log_kind IS
    'FlowOrchestrationLog.Kind: the milestones of a run (contract/picklists.csv)';

CREATE TYPE orchestration.principal_kind AS ENUM ('User', 'Group', 'Queue');
COMMENT ON TYPE orchestration.principal_kind IS
    'Kinds of principals: users, regular groups and queues';

CREATE TYPE orchestration.attempt_outcome AS ENUM ('Failed', 'TimedOut', 'LeaseLost');
COMMENT ON TYPE orchestration.attempt_outcome IS
    'Outcomes of an attempt that did not end its step. Failed: the worker reported a failure; TimedOut: the attempt took longer than the timeout of its action; LeaseLost: the lease ended without a report';

CREATE TYPE orchestration.action_kind AS ENUM ('function', 'worker', 'screen');
COMMENT ON TYPE orchestration.action_kind IS
    'Kinds of actions, by who performs them: a function in the database, a worker outside, or a user at a screen';

CREATE TYPE orchestration.shared_object AS ENUM
    ('FlowOrchestrationInstance', 'FlowOrchestrationStageInstance',
     'FlowOrchestrationStepInstance', 'FlowOrchestrationWorkItem',
     'ApprovalSubmission', 'ApprovalWorkItem');
COMMENT ON TYPE orchestration.shared_object IS
    'Objects whose records can be shared, by API name: runs, stages, steps, work items and approval submissions; an approval work item is shared with its submission';

CREATE TYPE orchestration.access_level AS ENUM ('Read', 'Edit', 'All');
COMMENT ON TYPE orchestration.access_level IS
    'Levels of access; each includes the levels before it: Share.AccessLevel (contract/picklists.csv)';

CREATE TYPE orchestration.sharing_model AS ENUM ('Private', 'Read', 'ReadWrite');
COMMENT ON TYPE orchestration.sharing_model IS
    'Default access of every active user to the records of an object: Private: none; Read: Read; ReadWrite: Edit';

CREATE TYPE orchestration.row_cause AS ENUM ('Manual', 'Owner', 'Rule');
COMMENT ON TYPE orchestration.row_cause IS
    'Share.RowCause: the reason for which a share row exists (contract/picklists.csv)';

/*-------------------------------------------------------------------------
 *
 * document_format.c
 *	  The format of orchestration documents, as tables.
 *
 * The tables say what the compiler reads, keeps or refuses, which elements are
 * arrays in JSON, which are numbers and booleans there, and how long texts may be.
 * Settings that concern the platform alone are kept; the compiler warns where their
 * meaning is lost.  An element that would change what a run does, and that the engine
 * does not have, is refused.  Source: Metadata API 67, Flow.
 *
 * test/corpus/corpus.py has a document for each element; doc/elements.md lists them.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/document_format.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "evaluate/document_format.h"

/*
 * How long a text may be, in characters without the white space around it.
 *
 * Sources: contract/fields.csv for what runs show; Metadata API, Flow, FlowRule; Apex
 * Reference, Formula Evaluation; names of 80 characters are common in published files,
 * longer ones there are none; jongpie/NebulaLogger, pull request 200, for descriptions.
 * For the texts below "ours" no limit is documented; these bounds are far above what
 * published files hold.
 */
#define LENGTH_NAME				80
#define LENGTH_LABEL			255
#define LENGTH_ACTION			255 /* the called flow's name */
#define LENGTH_LOGIC			1000
#define LENGTH_FORMULA			3900
#define LENGTH_STEP_DESCRIPTION 32000
#define LENGTH_DESCRIPTION		65535
/* ours */
#define LENGTH_WORD				255 /* of an enumeration, a type, a field */
#define LENGTH_INTERVIEW_LABEL	1000
#define LENGTH_REFERENCE		1000
#define LENGTH_TEXT				1000000 /* as a text template may make */

/* Rows of the tables: elements that are read, kept, refused. */
#define ROW(name, type, treatment, repeated, required, filled, shape, length, note) \
	{name, type, treatment, repeated, required, filled, shape, length, note}
#define TEXT(name, length) \
	ROW(name, DOC_TYPE_STRING, DOC_READ, false, false, false, SHAPE_NONE, length, NULL)
#define REQUIRED_TEXT(name, length) \
	ROW(name, DOC_TYPE_STRING, DOC_READ, false, true, true, SHAPE_NONE, length, NULL)
/* the compiler says more of a blank one */
#define REQUIRED_ANY_TEXT(name, length) \
	ROW(name, DOC_TYPE_STRING, DOC_READ, false, true, false, SHAPE_NONE, length, NULL)
#define BOOLEAN(name) \
	ROW(name, DOC_TYPE_BOOLEAN, DOC_READ, false, false, false, SHAPE_NONE, 0, NULL)
#define TEXT_OR_BOOLEAN(name) \
	ROW(name, DOC_TYPE_TEXT_OR_BOOLEAN, DOC_READ, false, false, false, SHAPE_NONE, LENGTH_WORD, NULL)
#define NUMBER(name) \
	ROW(name, DOC_TYPE_NUMBER, DOC_READ, false, false, false, SHAPE_NONE, 0, NULL)
#define NUMBER_OR_VALUE(name) \
	ROW(name, DOC_TYPE_NUMBER_OR_VALUE, DOC_READ, false, false, false, SHAPE_VALUE, 0, NULL)
#define OBJECT(name, shape) \
	ROW(name, DOC_TYPE_OBJECT, DOC_READ, false, false, false, shape, 0, NULL)
#define ARRAY(name, shape) \
	ROW(name, DOC_TYPE_OBJECT, DOC_READ, true, false, false, shape, 0, NULL)
#define REQUIRED_ARRAY(name, shape) \
	ROW(name, DOC_TYPE_OBJECT, DOC_READ, true, true, false, shape, 0, NULL)
#define KEEP_TEXT(name, length) \
	ROW(name, DOC_TYPE_STRING, DOC_KEEP, false, false, false, SHAPE_NONE, length, NULL)
#define KEEP_TEXTS(name, length) \
	ROW(name, DOC_TYPE_STRING, DOC_KEEP, true, false, false, SHAPE_NONE, length, NULL)
#define KEEP_BOOLEAN(name) \
	ROW(name, DOC_TYPE_BOOLEAN, DOC_KEEP, false, false, false, SHAPE_NONE, 0, NULL)
#define KEEP_NUMBER(name) \
	ROW(name, DOC_TYPE_NUMBER, DOC_KEEP, false, false, false, SHAPE_NONE, 0, NULL)
#define KEEP_ARRAY(name, shape) \
	ROW(name, DOC_TYPE_OBJECT, DOC_KEEP, true, false, false, shape, 0, NULL)
#define WARN(name, length, note) \
	ROW(name, DOC_TYPE_STRING, DOC_WARN, false, false, false, SHAPE_NONE, length, note)
#define WARN_ARRAY(name, note) \
	ROW(name, DOC_TYPE_OBJECT, DOC_WARN, true, false, false, SHAPE_OTHER, 0, note)
#define WARN_TRUE(name, note) \
	ROW(name, DOC_TYPE_BOOLEAN, DOC_WARN_TRUE, false, false, false, SHAPE_NONE, 0, note)
#define REFUSE(name, note) \
	ROW(name, DOC_TYPE_STRING, DOC_REFUSE, false, false, false, SHAPE_NONE, 0, note)
#define REFUSE_OBJECT(name, note) \
	ROW(name, DOC_TYPE_OBJECT, DOC_REFUSE, false, false, false, SHAPE_OTHER, 0, note)
#define REFUSE_ARRAY(name, note) \
	ROW(name, DOC_TYPE_OBJECT, DOC_REFUSE, true, false, false, SHAPE_OTHER, 0, note)
#define REFUSE_TRUE(name, note) \
	ROW(name, DOC_TYPE_BOOLEAN, DOC_REFUSE_TRUE, false, false, false, SHAPE_NONE, 0, note)

#define METADATA_VALUES KEEP_ARRAY("processMetadataValues", SHAPE_PARAMETER)
#define DESCRIPTION KEEP_TEXT("description", LENGTH_DESCRIPTION)

#define NODE_ELEMENTS \
	REQUIRED_TEXT("name", LENGTH_NAME), \
	DESCRIPTION, \
	KEEP_NUMBER("locationX"), \
	KEEP_NUMBER("locationY"), \
	KEEP_TEXT("elementSubtype", LENGTH_WORD), \
	METADATA_VALUES

#define ONLY_RECALL "the only scheduled path is that of pathType ApprovalRecall"
#define ONLY_RECORDS "calls and changes of records start orchestrations"
#define NOT_AN_ORCHESTRATION "orchestrations consist of stages, decisions and assignments"

static const DocElement flow_elements[] = {
	REQUIRED_TEXT("label", LENGTH_LABEL),
	REQUIRED_TEXT("processType", LENGTH_WORD),
	OBJECT("start", SHAPE_START),
	ARRAY("orchestratedStages", SHAPE_STAGE),
	ARRAY("decisions", SHAPE_DECISION),
	ARRAY("assignments", SHAPE_ASSIGNMENT),
	ARRAY("variables", SHAPE_VARIABLE),
	ARRAY("constants", SHAPE_CONSTANT),
	ARRAY("formulas", SHAPE_FORMULA),
	ARRAY("textTemplates", SHAPE_TEMPLATE),
	ARRAY("recordLookups", SHAPE_LOOKUP),
	TEXT("fullName", LENGTH_NAME),
	TEXT("runInMode", LENGTH_WORD),
	NUMBER("triggerOrder"),
	KEEP_NUMBER("apiVersion"),
	KEEP_BOOLEAN("areMetricsLoggedToDataCloud"),
	KEEP_ARRAY("customProperties", SHAPE_PARAMETER),
	DESCRIPTION,
	KEEP_TEXT("environments", LENGTH_WORD),
	KEEP_TEXT("interviewLabel", LENGTH_INTERVIEW_LABEL),
	KEEP_BOOLEAN("isOverridable"),
	KEEP_BOOLEAN("isTemplate"),
	KEEP_TEXT("migratedFromWorkflowRuleName", LENGTH_LABEL),
	KEEP_TEXT("overriddenFlow", LENGTH_WORD),
	METADATA_VALUES,
	KEEP_TEXT("sourceTemplate", LENGTH_WORD),
	KEEP_TEXT("status", LENGTH_WORD),
	KEEP_TEXT("timeZoneSidKey", LENGTH_WORD),
	TEXT("startElementReference", LENGTH_NAME),
	KEEP_ARRAY("collectionFilterCriteria", SHAPE_OTHER),
	KEEP_ARRAY("groups", SHAPE_OTHER),
	KEEP_TEXT("segment", LENGTH_WORD),
	WARN_TRUE("isAdditionalPermissionRequiredToRun", "every user who may execute start_orchestration() may start it"),
	REFUSE_ARRAY("actionCalls", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("apexPluginCalls", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("choices", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("collectionProcessors", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("customErrors", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("dynamicChoiceSets", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("exitRules", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("experiments", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("loops", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("recordCreates", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("recordDeletes", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("recordRollbacks", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("recordUpdates", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("screens", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("stages", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("steps", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("subflows", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("transforms", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("waits", NOT_AN_ORCHESTRATION)
};

static const DocElement start_elements[] = {
	OBJECT("connector", SHAPE_CONNECTOR),
	TEXT("object", LENGTH_WORD),
	TEXT("recordTriggerType", LENGTH_WORD),
	TEXT("triggerType", LENGTH_WORD),
	TEXT("filterLogic", LENGTH_LOGIC),
	ARRAY("filters", SHAPE_FILTER),
	TEXT("filterFormula", LENGTH_FORMULA),
	ARRAY("scheduledPaths", SHAPE_SCHEDULED_PATH),
	BOOLEAN("doesRequireRecordChangedToMeetCriteria"),
	KEEP_TEXT("name", LENGTH_NAME),
	KEEP_TEXT("label", LENGTH_LABEL),
	DESCRIPTION,
	KEEP_NUMBER("locationX"),
	KEEP_NUMBER("locationY"),
	METADATA_VALUES,
	KEEP_TEXT("elementSubtype", LENGTH_WORD),
	KEEP_TEXT("conditionLogic", LENGTH_LOGIC),
	KEEP_ARRAY("dataTypeMappings", SHAPE_OTHER),
	KEEP_TEXT("TimeZoneSidKey", LENGTH_WORD),
	KEEP_TEXT("versionString", LENGTH_WORD),
	WARN("flowRunAsUser", LENGTH_WORD, "an action runs with the rights of its function's owner"),
	REFUSE("activation", ONLY_RECORDS),
	REFUSE("activationTemplate", ONLY_RECORDS),
	REFUSE_ARRAY("capabilityTypes", ONLY_RECORDS),
	REFUSE_ARRAY("conditions", "use filters"),
	REFUSE("dataGraph", ONLY_RECORDS),
	REFUSE("entryType", ONLY_RECORDS),
	REFUSE("eventName", ONLY_RECORDS),
	REFUSE("eventType", ONLY_RECORDS),
	REFUSE_OBJECT("fanOutAction", ONLY_RECORDS),
	REFUSE("form", ONLY_RECORDS),
	REFUSE("frequency", ONLY_RECORDS),
	REFUSE_ARRAY("inputs", ONLY_RECORDS),
	REFUSE("prioritizedContactPointsList", ONLY_RECORDS),
	REFUSE_TRUE("publishSegment", ONLY_RECORDS),
	REFUSE_OBJECT("schedule", ONLY_RECORDS),
	REFUSE("segment", ONLY_RECORDS),
	REFUSE_TRUE("sendMsgToOneContactPtPerIndv", ONLY_RECORDS),
	REFUSE("triggeringDataGraph", ONLY_RECORDS),
	REFUSE("triggeringDataModelObjectPath", ONLY_RECORDS)
};

static const DocElement scheduled_path_elements[] = {
	OBJECT("connector", SHAPE_CONNECTOR),
	TEXT("pathType", LENGTH_WORD),
	KEEP_TEXT("name", LENGTH_NAME),
	KEEP_TEXT("label", LENGTH_LABEL),
	DESCRIPTION,
	METADATA_VALUES,
	REFUSE("maxBatchSize", ONLY_RECALL),
	REFUSE("offsetNumber", ONLY_RECALL),
	REFUSE("offsetUnit", ONLY_RECALL),
	REFUSE("recordField", ONLY_RECALL),
	REFUSE("timeSource", ONLY_RECALL)
};

static const DocElement filter_elements[] = {
	REQUIRED_TEXT("field", LENGTH_WORD),
	REQUIRED_ANY_TEXT("operator", LENGTH_WORD),
	OBJECT("value", SHAPE_VALUE),
	METADATA_VALUES
};

static const DocElement stage_elements[] = {
	NODE_ELEMENTS,
	TEXT("label", LENGTH_LABEL),
	OBJECT("connector", SHAPE_CONNECTOR),
	ARRAY("stageSteps", SHAPE_STEP),
	TEXT("exitConditionLogic", LENGTH_LOGIC),
	ARRAY("exitConditions", SHAPE_CONDITION),
	TEXT("exitActionName", LENGTH_ACTION),
	TEXT("exitActionType", LENGTH_WORD),
	ARRAY("exitActionInputParameters", SHAPE_PARAMETER),
	OBJECT("faultConnector", SHAPE_CONNECTOR),
	KEEP_ARRAY("exitActionOutputParameters", SHAPE_PARAMETER),
	REFUSE_TRUE("runAsUser", NULL)
};

static const DocElement step_elements[] = {
	REQUIRED_TEXT("name", LENGTH_NAME),
	REQUIRED_TEXT("label", LENGTH_LABEL),
	TEXT("description", LENGTH_STEP_DESCRIPTION),
	REQUIRED_TEXT("actionType", LENGTH_WORD),
	REQUIRED_TEXT("actionName", LENGTH_ACTION),
	TEXT("stepSubtype", LENGTH_WORD),
	BOOLEAN("requiresAsyncProcessing"),
	ARRAY("assignees", SHAPE_ASSIGNEE),
	TEXT("entryConditionLogic", LENGTH_LOGIC),
	ARRAY("entryConditions", SHAPE_CONDITION),
	ARRAY("inputParameters", SHAPE_PARAMETER),
	TEXT("entryActionName", LENGTH_ACTION),
	TEXT("entryActionType", LENGTH_WORD),
	ARRAY("entryActionInputParameters", SHAPE_PARAMETER),
	TEXT("exitConditionLogic", LENGTH_LOGIC),
	ARRAY("exitConditions", SHAPE_CONDITION),
	TEXT("exitActionName", LENGTH_ACTION),
	TEXT("exitActionType", LENGTH_WORD),
	ARRAY("exitActionInputParameters", SHAPE_PARAMETER),
	BOOLEAN("canAssigneeEdit"),
	BOOLEAN("runAsUser"),
	BOOLEAN("shouldLock"),
	KEEP_BOOLEAN("debugSimulateStep"),
	KEEP_TEXT("elementSubtype", LENGTH_WORD),
	KEEP_ARRAY("entryActionOutputParameters", SHAPE_PARAMETER),
	KEEP_ARRAY("exitActionOutputParameters", SHAPE_PARAMETER),
	KEEP_NUMBER("locationX"),
	KEEP_NUMBER("locationY"),
	KEEP_ARRAY("outputConfigParams", SHAPE_PARAMETER),
	METADATA_VALUES,
	TEXT_OR_BOOLEAN("requiresMultiMemberApproval"),
	WARN_ARRAY("outputParameters", "outputs are read as <step>.Outputs.<name>")
};

static const DocElement assignee_elements[] = {
	OBJECT("assignee", SHAPE_VALUE),
	REQUIRED_TEXT("assigneeType", LENGTH_WORD),
	METADATA_VALUES
};

static const DocElement parameter_elements[] = {
	REQUIRED_TEXT("name", LENGTH_WORD),
	OBJECT("value", SHAPE_VALUE),
	METADATA_VALUES
};

static const DocElement condition_elements[] = {
	TEXT("leftValueReference", LENGTH_REFERENCE),
	TEXT("operator", LENGTH_WORD),
	OBJECT("rightValue", SHAPE_VALUE),
	TEXT("conditionLogic", LENGTH_LOGIC),
	ARRAY("conditions", SHAPE_CONDITION),
	KEEP_TEXT("conditionType", LENGTH_WORD),
	METADATA_VALUES,
	REFUSE("aggregationOperator", NULL)
};

static const DocElement connector_elements[] = {
	REQUIRED_TEXT("targetReference", LENGTH_NAME),
	KEEP_BOOLEAN("isGoTo"),
	METADATA_VALUES
};

static const DocElement decision_elements[] = {
	NODE_ELEMENTS,
	KEEP_TEXT("label", LENGTH_LABEL),
	OBJECT("defaultConnector", SHAPE_CONNECTOR),
	KEEP_TEXT("defaultConnectorLabel", LENGTH_LABEL),
	KEEP_ARRAY("attributes", SHAPE_OTHER),
	ARRAY("rules", SHAPE_RULE)
};

static const DocElement rule_elements[] = {
	REQUIRED_TEXT("name", LENGTH_NAME),
	TEXT("label", LENGTH_LABEL),	/* nil in some published files */
	REQUIRED_ANY_TEXT("conditionLogic", LENGTH_LOGIC),
	REQUIRED_ARRAY("conditions", SHAPE_CONDITION),
	OBJECT("connector", SHAPE_CONNECTOR),
	DESCRIPTION,
	BOOLEAN("doesRequireRecordChangedToMeetCriteria"),
	KEEP_ARRAY("attributes", SHAPE_OTHER),
	METADATA_VALUES
};

static const DocElement assignment_elements[] = {
	NODE_ELEMENTS,
	KEEP_TEXT("label", LENGTH_LABEL),
	ARRAY("assignmentItems", SHAPE_ASSIGNMENT_ITEM),
	OBJECT("connector", SHAPE_CONNECTOR)
};

static const DocElement assignment_item_elements[] = {
	REQUIRED_TEXT("assignToReference", LENGTH_REFERENCE),
	REQUIRED_TEXT("operator", LENGTH_WORD),
	OBJECT("value", SHAPE_VALUE),
	METADATA_VALUES
};

static const DocElement variable_elements[] = {
	REQUIRED_TEXT("name", LENGTH_NAME),
	REQUIRED_TEXT("dataType", LENGTH_WORD),
	BOOLEAN("isCollection"),
	BOOLEAN("isInput"),
	BOOLEAN("isOutput"),
	OBJECT("value", SHAPE_VALUE),
	TEXT("objectType", LENGTH_WORD),
	KEEP_TEXT("apexClass", LENGTH_WORD),
	DESCRIPTION,
	KEEP_NUMBER("scale"),
	METADATA_VALUES
};

static const DocElement constant_elements[] = {
	REQUIRED_TEXT("name", LENGTH_NAME),
	REQUIRED_TEXT("dataType", LENGTH_WORD),
	OBJECT("value", SHAPE_VALUE),
	DESCRIPTION,
	METADATA_VALUES
};

static const DocElement formula_elements[] = {
	REQUIRED_TEXT("name", LENGTH_NAME),
	REQUIRED_ANY_TEXT("expression", LENGTH_FORMULA),
	TEXT("dataType", LENGTH_WORD),
	NUMBER("scale"),
	DESCRIPTION,
	METADATA_VALUES
};

static const DocElement template_elements[] = {
	REQUIRED_TEXT("name", LENGTH_NAME),
	REQUIRED_ANY_TEXT("text", LENGTH_TEXT),
	KEEP_BOOLEAN("isViewedAsPlainText"),
	DESCRIPTION,
	METADATA_VALUES
};

static const DocElement lookup_elements[] = {
	NODE_ELEMENTS,
	KEEP_TEXT("label", LENGTH_LABEL),
	REQUIRED_TEXT("object", LENGTH_WORD),
	TEXT("filterLogic", LENGTH_LOGIC),
	ARRAY("filters", SHAPE_FILTER),
	BOOLEAN("getFirstRecordOnly"),
	TEXT("sortField", LENGTH_WORD),
	TEXT("sortOrder", LENGTH_WORD),
	NUMBER_OR_VALUE("limit"),
	TEXT("outputReference", LENGTH_REFERENCE),
	BOOLEAN("assignNullValuesIfNoRecordsFound"),
	OBJECT("connector", SHAPE_CONNECTOR),
	KEEP_TEXTS("queriedFields", LENGTH_WORD),
	KEEP_BOOLEAN("storeOutputAutomatically"),
	REFUSE_OBJECT("faultConnector", "an error of an evaluation flow is one of the stage"),
	REFUSE_ARRAY("outputAssignments", "fields are read as <lookup>.<field>"),
	REFUSE_ARRAY("relatedRecords", "use another lookup")
};

static const DocElement value_elements[] = {
	TEXT("stringValue", LENGTH_TEXT),
	TEXT("elementReference", LENGTH_REFERENCE),
	BOOLEAN("booleanValue"),
	NUMBER("numberValue"),
	TEXT("dateTimeValue", LENGTH_WORD),
	TEXT("dateValue", LENGTH_WORD),
	TEXT("timeValue", LENGTH_WORD),
	REFUSE("apexValue", NULL),
	REFUSE("complexValue", NULL),
	REFUSE("complexValueType", NULL),
	REFUSE("formulaDataType", NULL),
	REFUSE("formulaExpression", NULL),
	REFUSE("setupReference", NULL),
	REFUSE("setupReferenceType", NULL),
	REFUSE("sobjectValue", NULL),
	REFUSE_OBJECT("transform", NULL),
	REFUSE("transformValueReference", NULL)
};

static const DocElement other_elements[] = {
	TEXT("name", LENGTH_NAME)
};

static const DocElement conditions_elements[] = {
	TEXT("conditionLogic", LENGTH_LOGIC),
	ARRAY("conditions", SHAPE_CONDITION)
};

#define SHAPE(name, elements) {name, elements, lengthof(elements)}

static const struct
{
	const char *name;			/* of the type, for messages */
	const DocElement *elements;
	int			nelements;
}			shapes[SHAPE_LAST + 1] = {
	[SHAPE_NONE] = {"element", NULL, 0},
	[SHAPE_FLOW] = SHAPE("Flow", flow_elements),
	[SHAPE_START] = SHAPE("start", start_elements),
	[SHAPE_FILTER] = SHAPE("filter", filter_elements),
	[SHAPE_STAGE] = SHAPE("stage", stage_elements),
	[SHAPE_STEP] = SHAPE("step", step_elements),
	[SHAPE_ASSIGNEE] = SHAPE("assignee", assignee_elements),
	[SHAPE_PARAMETER] = SHAPE("parameter", parameter_elements),
	[SHAPE_CONDITION] = SHAPE("condition", condition_elements),
	[SHAPE_CONNECTOR] = SHAPE("connector", connector_elements),
	[SHAPE_DECISION] = SHAPE("decision", decision_elements),
	[SHAPE_RULE] = SHAPE("rule", rule_elements),
	[SHAPE_ASSIGNMENT] = SHAPE("assignment", assignment_elements),
	[SHAPE_ASSIGNMENT_ITEM] = SHAPE("assignment item", assignment_item_elements),
	[SHAPE_VARIABLE] = SHAPE("variable", variable_elements),
	[SHAPE_CONSTANT] = SHAPE("constant", constant_elements),
	[SHAPE_VALUE] = SHAPE("value", value_elements),
	[SHAPE_FORMULA] = SHAPE("formula", formula_elements),
	[SHAPE_TEMPLATE] = SHAPE("text template", template_elements),
	[SHAPE_LOOKUP] = SHAPE("record lookup", lookup_elements),
	[SHAPE_SCHEDULED_PATH] = SHAPE("scheduled path", scheduled_path_elements),
	[SHAPE_OTHER] = SHAPE("element", other_elements),
	[SHAPE_CONDITIONS] = SHAPE("conditions", conditions_elements)
};

const DocElement *
orch_document_elements(DocShape shape, int *nelements)
{
	*nelements = shapes[shape].nelements;
	return shapes[shape].elements;
}

const DocElement *
orch_document_element(DocShape shape, const char *name)
{
	int			i;

	for (i = 0; i < shapes[shape].nelements; i++)
		if (strcmp(shapes[shape].elements[i].name, name) == 0)
			return &shapes[shape].elements[i];
	return NULL;
}

DocShape
orch_document_owner(const char *name)
{
	DocShape	owner = SHAPE_NONE;
	int			shape;

	for (shape = SHAPE_NONE + 1; shape <= SHAPE_LAST; shape++)
	{
		const DocElement *element = orch_document_element((DocShape) shape, name);

		if (element == NULL)
			continue;
		if (owner != SHAPE_NONE || !element->repeated || element->treatment != DOC_READ)
			return SHAPE_NONE;
		owner = (DocShape) shape;
	}
	return owner;
}

const char *
orch_document_shape_name(DocShape shape)
{
	return shapes[shape].name;
}

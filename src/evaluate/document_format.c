/*-------------------------------------------------------------------------
 *
 * document_format.c
 *	  The format of orchestration documents, as tables.
 *
 * The tables say what the compiler reads, keeps or refuses, which elements are
 * arrays in JSON, and which are numbers and booleans there.  Source: Metadata
 * API, Flow.
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

/* Rows of the tables: elements that are read, kept, refused. */
#define TEXT(name) \
	{name, DOC_TYPE_STRING, DOC_READ, false, false, SHAPE_NONE, NULL}
#define REQUIRED_TEXT(name) \
	{name, DOC_TYPE_STRING, DOC_READ, false, true, SHAPE_NONE, NULL}
#define BOOLEAN(name) \
	{name, DOC_TYPE_BOOLEAN, DOC_READ, false, false, SHAPE_NONE, NULL}
#define NUMBER(name) \
	{name, DOC_TYPE_NUMBER, DOC_READ, false, false, SHAPE_NONE, NULL}
#define OBJECT(name, shape) \
	{name, DOC_TYPE_OBJECT, DOC_READ, false, false, shape, NULL}
#define ARRAY(name, shape) \
	{name, DOC_TYPE_OBJECT, DOC_READ, true, false, shape, NULL}
#define REQUIRED_ARRAY(name, shape) \
	{name, DOC_TYPE_OBJECT, DOC_READ, true, true, shape, NULL}
#define KEEP_TEXT(name) \
	{name, DOC_TYPE_STRING, DOC_KEEP, false, false, SHAPE_NONE, NULL}
#define KEEP_BOOLEAN(name) \
	{name, DOC_TYPE_BOOLEAN, DOC_KEEP, false, false, SHAPE_NONE, NULL}
#define KEEP_NUMBER(name) \
	{name, DOC_TYPE_NUMBER, DOC_KEEP, false, false, SHAPE_NONE, NULL}
#define KEEP_ARRAY(name, shape) \
	{name, DOC_TYPE_OBJECT, DOC_KEEP, true, false, shape, NULL}
#define REFUSE(name, note) \
	{name, DOC_TYPE_STRING, DOC_REFUSE, false, false, SHAPE_NONE, note}
#define REFUSE_OBJECT(name, note) \
	{name, DOC_TYPE_OBJECT, DOC_REFUSE, false, false, SHAPE_OTHER, note}
#define REFUSE_ARRAY(name, note) \
	{name, DOC_TYPE_OBJECT, DOC_REFUSE, true, false, SHAPE_OTHER, note}
#define REFUSE_TRUE(name, note) \
	{name, DOC_TYPE_BOOLEAN, DOC_REFUSE_TRUE, false, false, SHAPE_NONE, note}

#define NODE_ELEMENTS \
	REQUIRED_TEXT("name"), \
	KEEP_TEXT("description"), \
	KEEP_NUMBER("locationX"), \
	KEEP_NUMBER("locationY"), \
	KEEP_TEXT("elementSubtype"), \
	KEEP_ARRAY("processMetadataValues", SHAPE_PARAMETER)

#define ONLY_RECALL "the only scheduled path is that of pathType ApprovalRecall"
#define NOT_AN_ORCHESTRATION "orchestrations consist of stages, decisions and assignments"

static const DocElement flow_elements[] = {
	REQUIRED_TEXT("label"),
	REQUIRED_TEXT("processType"),
	OBJECT("start", SHAPE_START),
	ARRAY("orchestratedStages", SHAPE_STAGE),
	ARRAY("decisions", SHAPE_DECISION),
	ARRAY("assignments", SHAPE_ASSIGNMENT),
	ARRAY("variables", SHAPE_VARIABLE),
	ARRAY("constants", SHAPE_CONSTANT),
	ARRAY("formulas", SHAPE_FORMULA),
	ARRAY("textTemplates", SHAPE_TEMPLATE),
	ARRAY("recordLookups", SHAPE_LOOKUP),
	TEXT("fullName"),
	TEXT("runInMode"),
	NUMBER("triggerOrder"),
	KEEP_NUMBER("apiVersion"),
	KEEP_BOOLEAN("areMetricsLoggedToDataCloud"),
	KEEP_ARRAY("customProperties", SHAPE_PARAMETER),
	KEEP_TEXT("description"),
	KEEP_TEXT("environments"),
	KEEP_TEXT("interviewLabel"),
	KEEP_BOOLEAN("isOverridable"),
	KEEP_BOOLEAN("isTemplate"),
	KEEP_TEXT("migratedFromWorkflowRuleName"),
	KEEP_TEXT("overriddenFlow"),
	KEEP_ARRAY("processMetadataValues", SHAPE_PARAMETER),
	KEEP_TEXT("sourceTemplate"),
	KEEP_TEXT("status"),
	KEEP_TEXT("timeZoneSidKey"),
	REFUSE_TRUE("isAdditionalPermissionRequiredToRun", "privileges of the database decide who may start a run"),
	REFUSE("startElementReference", "use start with its connector"),
	REFUSE_ARRAY("actionCalls", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("apexPluginCalls", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("choices", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("collectionProcessors", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("customErrors", NOT_AN_ORCHESTRATION),
	REFUSE_ARRAY("dynamicChoiceSets", NOT_AN_ORCHESTRATION),
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
	TEXT("object"),
	TEXT("recordTriggerType"),
	TEXT("triggerType"),
	TEXT("filterLogic"),
	ARRAY("filters", SHAPE_FILTER),
	TEXT("filterFormula"),
	ARRAY("scheduledPaths", SHAPE_SCHEDULED_PATH),
	BOOLEAN("doesRequireRecordChangedToMeetCriteria"),
	KEEP_TEXT("name"),
	KEEP_TEXT("label"),
	KEEP_TEXT("description"),
	KEEP_NUMBER("locationX"),
	KEEP_NUMBER("locationY"),
	KEEP_ARRAY("processMetadataValues", SHAPE_PARAMETER),
	REFUSE("flowRunAsUser", NULL),
	REFUSE("frequency", NULL),
	REFUSE_OBJECT("schedule", NULL)
};

static const DocElement scheduled_path_elements[] = {
	OBJECT("connector", SHAPE_CONNECTOR),
	TEXT("pathType"),
	KEEP_TEXT("name"),
	KEEP_TEXT("label"),
	KEEP_TEXT("description"),
	KEEP_ARRAY("processMetadataValues", SHAPE_PARAMETER),
	REFUSE("maxBatchSize", ONLY_RECALL),
	REFUSE("offsetNumber", ONLY_RECALL),
	REFUSE("offsetUnit", ONLY_RECALL),
	REFUSE("recordField", ONLY_RECALL),
	REFUSE("timeSource", ONLY_RECALL)
};

static const DocElement filter_elements[] = {
	REQUIRED_TEXT("field"),
	REQUIRED_TEXT("operator"),
	OBJECT("value", SHAPE_VALUE),
	KEEP_ARRAY("processMetadataValues", SHAPE_PARAMETER)
};

static const DocElement stage_elements[] = {
	NODE_ELEMENTS,
	TEXT("label"),
	OBJECT("connector", SHAPE_CONNECTOR),
	ARRAY("stageSteps", SHAPE_STEP),
	TEXT("exitConditionLogic"),
	ARRAY("exitConditions", SHAPE_CONDITION),
	TEXT("exitActionName"),
	TEXT("exitActionType"),
	ARRAY("exitActionInputParameters", SHAPE_PARAMETER),
	OBJECT("faultConnector", SHAPE_CONNECTOR),
	KEEP_ARRAY("exitActionOutputParameters", SHAPE_PARAMETER),
	REFUSE_TRUE("runAsUser", NULL)
};

static const DocElement step_elements[] = {
	REQUIRED_TEXT("name"),
	REQUIRED_TEXT("label"),
	TEXT("description"),
	REQUIRED_TEXT("actionType"),
	REQUIRED_TEXT("actionName"),
	TEXT("stepSubtype"),
	BOOLEAN("requiresAsyncProcessing"),
	ARRAY("assignees", SHAPE_ASSIGNEE),
	TEXT("entryConditionLogic"),
	ARRAY("entryConditions", SHAPE_CONDITION),
	ARRAY("inputParameters", SHAPE_PARAMETER),
	TEXT("entryActionName"),
	TEXT("entryActionType"),
	ARRAY("entryActionInputParameters", SHAPE_PARAMETER),
	TEXT("exitConditionLogic"),
	ARRAY("exitConditions", SHAPE_CONDITION),
	TEXT("exitActionName"),
	TEXT("exitActionType"),
	ARRAY("exitActionInputParameters", SHAPE_PARAMETER),
	BOOLEAN("canAssigneeEdit"),
	BOOLEAN("runAsUser"),
	BOOLEAN("shouldLock"),
	KEEP_BOOLEAN("debugSimulateStep"),
	KEEP_TEXT("elementSubtype"),
	KEEP_ARRAY("entryActionOutputParameters", SHAPE_PARAMETER),
	KEEP_ARRAY("exitActionOutputParameters", SHAPE_PARAMETER),
	KEEP_NUMBER("locationX"),
	KEEP_NUMBER("locationY"),
	KEEP_ARRAY("outputConfigParams", SHAPE_PARAMETER),
	KEEP_ARRAY("processMetadataValues", SHAPE_PARAMETER),
	REFUSE_ARRAY("outputParameters", "outputs are read as <step>.Outputs.<name>"),
	REFUSE_TRUE("requiresMultiMemberApproval", "one member's answer completes a step")
};

static const DocElement assignee_elements[] = {
	OBJECT("assignee", SHAPE_VALUE),
	REQUIRED_TEXT("assigneeType"),
	KEEP_ARRAY("processMetadataValues", SHAPE_PARAMETER)
};

static const DocElement parameter_elements[] = {
	REQUIRED_TEXT("name"),
	OBJECT("value", SHAPE_VALUE),
	KEEP_ARRAY("processMetadataValues", SHAPE_PARAMETER)
};

static const DocElement condition_elements[] = {
	TEXT("leftValueReference"),
	TEXT("operator"),
	OBJECT("rightValue", SHAPE_VALUE),
	TEXT("conditionLogic"),
	ARRAY("conditions", SHAPE_CONDITION),
	KEEP_TEXT("conditionType"),
	KEEP_ARRAY("processMetadataValues", SHAPE_PARAMETER),
	REFUSE("aggregationOperator", NULL)
};

static const DocElement connector_elements[] = {
	REQUIRED_TEXT("targetReference"),
	KEEP_BOOLEAN("isGoTo"),
	KEEP_ARRAY("processMetadataValues", SHAPE_PARAMETER)
};

static const DocElement decision_elements[] = {
	NODE_ELEMENTS,
	KEEP_TEXT("label"),
	OBJECT("defaultConnector", SHAPE_CONNECTOR),
	KEEP_TEXT("defaultConnectorLabel"),
	ARRAY("rules", SHAPE_RULE)
};

static const DocElement rule_elements[] = {
	REQUIRED_TEXT("name"),
	REQUIRED_TEXT("label"),
	REQUIRED_TEXT("conditionLogic"),
	REQUIRED_ARRAY("conditions", SHAPE_CONDITION),
	OBJECT("connector", SHAPE_CONNECTOR),
	KEEP_TEXT("description"),
	BOOLEAN("doesRequireRecordChangedToMeetCriteria"),
	KEEP_ARRAY("attributes", SHAPE_PARAMETER),
	KEEP_ARRAY("processMetadataValues", SHAPE_PARAMETER)
};

static const DocElement assignment_elements[] = {
	NODE_ELEMENTS,
	KEEP_TEXT("label"),
	ARRAY("assignmentItems", SHAPE_ASSIGNMENT_ITEM),
	OBJECT("connector", SHAPE_CONNECTOR)
};

static const DocElement assignment_item_elements[] = {
	REQUIRED_TEXT("assignToReference"),
	REQUIRED_TEXT("operator"),
	OBJECT("value", SHAPE_VALUE),
	KEEP_ARRAY("processMetadataValues", SHAPE_PARAMETER)
};

static const DocElement variable_elements[] = {
	REQUIRED_TEXT("name"),
	REQUIRED_TEXT("dataType"),
	BOOLEAN("isCollection"),
	BOOLEAN("isInput"),
	BOOLEAN("isOutput"),
	OBJECT("value", SHAPE_VALUE),
	TEXT("objectType"),
	KEEP_TEXT("apexClass"),
	KEEP_TEXT("description"),
	KEEP_NUMBER("scale"),
	KEEP_ARRAY("processMetadataValues", SHAPE_PARAMETER)
};

static const DocElement constant_elements[] = {
	REQUIRED_TEXT("name"),
	REQUIRED_TEXT("dataType"),
	OBJECT("value", SHAPE_VALUE),
	KEEP_TEXT("description"),
	KEEP_ARRAY("processMetadataValues", SHAPE_PARAMETER)
};

static const DocElement formula_elements[] = {
	REQUIRED_TEXT("name"),
	REQUIRED_TEXT("expression"),
	TEXT("dataType"),
	NUMBER("scale"),
	KEEP_TEXT("description"),
	KEEP_ARRAY("processMetadataValues", SHAPE_PARAMETER)
};

static const DocElement template_elements[] = {
	REQUIRED_TEXT("name"),
	REQUIRED_TEXT("text"),
	KEEP_BOOLEAN("isViewedAsPlainText"),
	KEEP_TEXT("description"),
	KEEP_ARRAY("processMetadataValues", SHAPE_PARAMETER)
};

static const DocElement lookup_elements[] = {
	NODE_ELEMENTS,
	KEEP_TEXT("label"),
	REQUIRED_TEXT("object"),
	TEXT("filterLogic"),
	ARRAY("filters", SHAPE_FILTER),
	BOOLEAN("getFirstRecordOnly"),
	TEXT("sortField"),
	TEXT("sortOrder"),
	NUMBER("limit"),
	TEXT("outputReference"),
	BOOLEAN("assignNullValuesIfNoRecordsFound"),
	OBJECT("connector", SHAPE_CONNECTOR),
	{"queriedFields", DOC_TYPE_STRING, DOC_KEEP, true, false, SHAPE_NONE, NULL},
	KEEP_BOOLEAN("storeOutputAutomatically"),
	REFUSE_OBJECT("faultConnector", "an error of an evaluation flow is one of the stage"),
	REFUSE_ARRAY("outputAssignments", "fields are read as <lookup>.<field>")
};

static const DocElement value_elements[] = {
	TEXT("stringValue"),
	TEXT("elementReference"),
	BOOLEAN("booleanValue"),
	NUMBER("numberValue"),
	TEXT("dateTimeValue"),
	TEXT("dateValue"),
	TEXT("timeValue"),
	REFUSE("apexValue", NULL),
	REFUSE("formulaDataType", NULL),
	REFUSE("formulaExpression", NULL),
	REFUSE("setupReference", NULL),
	REFUSE("setupReferenceType", NULL),
	REFUSE("sobjectValue", NULL),
	REFUSE("transformValueReference", NULL)
};

static const DocElement other_elements[] = {
	TEXT("name")
};

static const DocElement conditions_elements[] = {
	TEXT("conditionLogic"),
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

const char *
orch_document_shape_name(DocShape shape)
{
	return shapes[shape].name;
}

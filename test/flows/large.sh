#!/bin/bash
# large.sh: prints an orchestration of more than 300 KiB: 30 stages of 5 steps with long
# descriptions.
#
# An argument of a command and a line that the shell passes on have at most 128 KiB.
set -u

printf -v long '%02000d' 0
cat <<XML
<?xml version="1.0" encoding="UTF-8"?>
<Flow xmlns="http://soap.sforce.com/2006/04/metadata">
    <label>Large</label>
    <processType>Orchestrator</processType>
    <start><connector><targetReference>S1</targetReference></connector></start>
XML
for stage in {1..30}; do
    echo "    <orchestratedStages><name>S$stage</name><label>Stage $stage</label>"
    [ "$stage" -lt 30 ] && echo "        <connector><targetReference>S$((stage + 1))</targetReference></connector>"
    for step in {1..5}; do
        cat <<XML
        <stageSteps>
            <name>S${stage}_$step</name>
            <description>$long</description>
            <label>Step $step</label>
            <actionName>work</actionName>
            <actionType>stepBackground</actionType>
            <entryConditionLogic>and</entryConditionLogic>
        </stageSteps>
XML
    done
    echo '    </orchestratedStages>'
done
echo '</Flow>'

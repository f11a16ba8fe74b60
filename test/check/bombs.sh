#!/bin/bash
# bombs.sh: no document crashes the server, however small its stack is.
#
# Documents of many shapes, each far larger or deeper than any real one, are validated
# with the least stack that the server allows.  Each must end in rows or an error within
# the time limit; the error is not that of the stack, except where the server's own
# parser of JSON raises it, before the extension sees the document.
. test/check/lib.sh.inc

flow() {    # flow MEMBERS: a definition with these members
    echo "('{\"fullName\": \"Bomb\", \"label\": \"Bomb\", \"processType\": \"Orchestrator\", ' || $1 || '}')::jsonb"
}
formula() { # formula EXPRESSION TYPE
    flow "'\"formulas\": [{\"name\": \"F\", \"dataType\": \"$2\", \"expression\": ' || to_json($1) || '}]'"
}
logic() {
    flow "'\"decisions\": [{\"name\": \"D\", \"label\": \"D\", \"rules\": [{\"name\": \"R\", \"label\": \"R\", \"conditionLogic\": ' || to_json($1) || ', \"conditions\": [{\"leftValueReference\": \"x\", \"operator\": \"IsNull\"}]}]}]'"
}
chain() {   # chain EXPRESSION LEAF ORDER N: formulas, # stands for the one before; a step reads the last
    flow "'\"formulas\": [' || (SELECT string_agg('{\"name\": \"F' || i || '\", \"expression\": \"' || CASE i WHEN 0 THEN '$2' ELSE replace('$1', '#', '{!F' || i - 1 || '}') END || '\"}', ',' ORDER BY $3) FROM generate_series(0, $4) i) || '], \"start\": {\"connector\": {\"targetReference\": \"S\"}}, \"orchestratedStages\": [{\"name\": \"S\", \"label\": \"S\", \"stageSteps\": [{\"name\": \"T\", \"label\": \"T\", \"entryConditionLogic\": \"and\", \"actionType\": \"stepBackground\", \"actionName\": \"A\", \"entryConditions\": [{\"leftValueReference\": \"F$4\", \"operator\": \"IsNull\"}]}]}]'"
}
xml() {
    echo "('<Flow><label>x</label><processType>Orchestrator</processType>' || $1 || '</Flow>')::xml"
}

shapes() {
    local n
    for n in 1000 300000; do
        echo "json arrays $n|$(flow "'\"x\": ' || repeat('[', $n) || repeat(']', $n)")"
        echo "containers $n|$(flow "'\"decisions\": [{\"name\": \"D\", \"rules\": [{\"name\": \"R\", \"conditions\": [' || repeat('{\"conditions\": [', $n) || repeat(']}', $n) || ']}]}]'")"
        echo "logic parentheses $n|$(logic "repeat('(', $n) || '1' || repeat(')', $n)")"
        echo "logic not $n|$(logic "repeat('not ', $n) || '1'")"
        echo "logic and $n|$(logic "repeat('1 and ', $n) || '1'")"
        echo "formula parentheses $n|$(formula "repeat('(', $n) || '1' || repeat(')', $n)" Number)"
        echo "formula minus $n|$(formula "repeat('-', $n) || '1'" Number)"
        echo "formula not $n|$(formula "repeat('!', $n) || 'true'" Boolean)"
        echo "formula plus $n|$(formula "'1' || repeat('+1', $n)" Number)"
        echo "formula power $n|$(formula "'1' || repeat('^1', $n)" Number)"
        echo "formula functions $n|$(formula "repeat('ABS(', $n) || '1' || repeat(')', $n)" Number)"
        echo "formula arguments $n|$(formula "'MAX(1' || repeat(',1', $n) || ')'" Number)"
        echo "formula comments $n|$(formula "repeat('/**/', $n) || '1'" Number)"
        echo "reference $n|$(formula "'{!r' || repeat('.x', $n) || '}'" Number)"
        echo "assigned path $n|$(flow "'\"variables\": [{\"name\": \"r\", \"dataType\": \"SObject\"}], \"assignments\": [{\"name\": \"A\", \"assignmentItems\": [{\"assignToReference\": \"r' || repeat('.x', $n) || '\", \"operator\": \"Assign\", \"value\": {\"numberValue\": 1}}]}]'")"
        echo "text template $n|$(flow "'\"textTemplates\": [{\"name\": \"T\", \"text\": \"' || repeat('{!T}', $n) || '\"}]'")"
        echo "xml $n|$(xml "repeat('<a>', $n) || repeat('</a>', $n)")"
        echo "xml conditions $n|$(xml "'<decisions><name>D</name><rules><name>R</name>' || repeat('<conditions>', $n) || repeat('</conditions>', $n) || '</rules></decisions>'")"
    done
    for n in 60 30000; do
        echo "doubling formulas $n|$(chain 'MIN(#, #)' 1 i "$n")"
        echo "formulas in a chain $n|$(chain '#+1' 1 i "$n")"
        echo "formulas in a chain, last first $n|$(chain '#+1' 1 -i "$n")"
        echo "formulas in a circle $n|$(chain '#+1' "{!F$n}" i "$n")"
    done
    echo "entities|('<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\">]><Flow><label>&a;</label></Flow>')::xml"
    echo "a file|('<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><Flow><label>&a;</label></Flow>')::xml"
    echo "long label|jsonb_build_object('fullName', 'Bomb', 'label', repeat('x', 20000000))"
    echo "variables|$(flow "'\"variables\": [' || (SELECT string_agg('{\"name\": \"v' || i || '\", \"dataType\": \"String\"}', ',') FROM generate_series(1, 20000) i) || ']'")"
    echo "names that begin alike|$(flow "(SELECT string_agg('\"' || repeat('x', 1000) || i || '\": 1', ',') FROM generate_series(1, 5000) i)")"
}

bombs() {
    local name document message failed=0 count=0
    while IFS='|' read -r name document; do
        message=$(timeout 60 psql -qXAt -v VERBOSITY=verbose 2>&1 <<SQL
SET max_stack_depth = '100kB';
SET statement_timeout = '30s';
SELECT 'rows ' || count(*) FROM orchestration.validate_orchestration($document);
SELECT 'alive';
SQL
)
        count=$((count + 1))
        if ! grep -q '^alive$' <<<"$message" || grep -qE 'ERROR:  (57014|XX|42)' <<<"$message" ||
            { [ "${name%% *}" != json ] && [ "${name%% *}" != containers ] && grep -q 'ERROR:  54001' <<<"$message"; }; then
            echo "$name: $(cut -c 1-300 <<<"$message" | head -n 5)"
            failed=1
        fi
    done < <(shapes)
    echo "$count shapes"
    [ $failed -eq 0 ] && [ $count -gt 40 ]
}

check 'with the smallest stack no document crashes the server or exceeds its limit' bombs

-- setup_Equipment_Purchase.sql: the world in which the example runs: tables of an
-- application, functions that do something to them, people.

CREATE TABLE employee (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username text NOT NULL UNIQUE
);
CREATE TABLE budget (
    department text PRIMARY KEY,
    amount_left numeric NOT NULL
);
CREATE TABLE purchase_request (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    what         text NOT NULL,
    amount       numeric NOT NULL,
    department   text NOT NULL REFERENCES budget,
    requester_id bigint NOT NULL REFERENCES employee,
    manager_id   bigint NOT NULL REFERENCES employee,
    state        text NOT NULL DEFAULT 'Draft'
);
CREATE TABLE booking (
    request_id   bigint REFERENCES purchase_request,
    order_number text,
    amount       numeric
);
CREATE TABLE message (recipient text, body text);

INSERT INTO employee (username) VALUES ('ravi@example.com'), ('mia@example.com');
INSERT INTO budget VALUES ('Laboratory', 50000);

SELECT orchestration.register_record_type('Purchase_Request', 'purchase_request');

-- people: a requester, the requester's manager, two in finance, one in the warehouse
SELECT orchestration.create_user('ravi@example.com', 'Ravi'),
       orchestration.create_user('mia@example.com', 'Mia');
SELECT orchestration.add_group_member(
           orchestration.create_group('Finance'), orchestration.create_user('fay@example.com', 'Fay'));
SELECT orchestration.add_group_member(
           orchestration.create_queue('Warehouse'), orchestration.create_user('wim@example.com', 'Wim'));

-- background work: functions in the database
CREATE FUNCTION check_budget(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('withinBudget', amount_left >= (input->>'amount')::numeric,
                              'budgetLeft', amount_left)
      FROM budget WHERE department = input->>'department'
$$;
CREATE FUNCTION save_revision(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
    UPDATE purchase_request SET amount = (input->>'amount')::numeric
     WHERE id = (input->>'request')::bigint
    RETURNING jsonb_build_object('amount', amount)
$$;
CREATE FUNCTION book_expense(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
    INSERT INTO booking VALUES ((input->>'request')::bigint, input->>'order', (input->>'amount')::numeric);
    UPDATE budget b SET amount_left = b.amount_left - (input->>'amount')::numeric
      FROM purchase_request r
     WHERE r.id = (input->>'request')::bigint AND b.department = r.department
    RETURNING jsonb_build_object('budgetLeft', b.amount_left)
$$;
CREATE FUNCTION send_message(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
    INSERT INTO message VALUES (input->>'to', input->>'text')
    RETURNING jsonb_build_object('sent', true)
$$;
SELECT orchestration.register_action('Check_Budget', 'function', 'check_budget(jsonb)'),
       orchestration.register_action('Save_Revision', 'function', 'save_revision(jsonb)'),
       orchestration.register_action('Book_Expense', 'function', 'book_expense(jsonb)'),
       orchestration.register_action('Send_Message', 'function', 'send_message(jsonb)'),
       -- a worker outside, and people's screens
       orchestration.register_action('Place_Order', 'worker'),
       orchestration.register_action('Review_Request', 'screen'),
       orchestration.register_action('Revise_Request', 'screen'),
       orchestration.register_action('Approve_Expense', 'screen'),
       orchestration.register_action('Receive_Goods', 'screen');

-- what people and the worker answer in this play, the first time and later
INSERT INTO demo.answer VALUES
    ('Manager_Review', 1, '{"decision": "Revise", "Comments": "Is the big one needed?"}'),
    ('Manager_Review', 2, '{"decision": "Approve", "Comments": "All right then"}'),
    ('Revise_Request', 1, '{"amount": 18500, "Comments": "The smaller model will do"}'),
    ('Approve_Expense', 1, '{"approved": true}'),
    ('Place_Order', 1, '{"orderNumber": "PO-2026-117"}'),
    ('Receive_Goods', 1, '{"complete": true}');

CREATE PROCEDURE demo.start() LANGUAGE sql AS $$
    INSERT INTO purchase_request (what, amount, department, requester_id, manager_id)
    SELECT 'Microscope', 24000, 'Laboratory', r.id, m.id
      FROM employee r, employee m
     WHERE r.username = 'ravi@example.com' AND m.username = 'mia@example.com';
    -- the filter does not hold for a draft; submitting it starts the run
    UPDATE purchase_request SET state = 'Submitted';
$$;

"""errors.py: which class an error of the server becomes, one a line."""
import psycopg
from orchestration_worker import OrchestrationError, RunError, StatusError, typed_errors

conn = psycopg.connect(autocommit=True)
run = conn.execute("SELECT id FROM orchestration.run WHERE status = 'Completed' LIMIT 1").fetchone()[0]
for sql, value in (("SELECT orchestration.resume_run(%s)", run), ("SELECT orchestration.start_orchestration(%s)", "Nowhere"),
                   ("SELECT orchestration.query(%s)", "nonsense"), ("SELECT 1 / %s", 0)):
    try:
        with typed_errors():
            conn.execute(sql, (value,))
        print("nothing")
    except OrchestrationError as error:
        print(type(error).__name__, error.sqlstate, isinstance(error, StatusError), isinstance(error, RunError))
    except psycopg.Error as error:
        print("psycopg", error.sqlstate)

-- play.sql: moves the run of the demo until it rests, telling what happens.

SET client_min_messages = notice;
CALL demo.tell();
CALL demo.play();

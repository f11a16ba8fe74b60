-- sobject: the documented objects as data (src/record/sobject.c): objects, fields,
-- picklist values, child relationships, and layouts that administrators store.
-- call/metadata.sql fills the tables from the contract; only layouts are the user's data.

CREATE TABLE orchestration.sobject (
    name         text      NOT NULL,
    position     integer   NOT NULL,
    view_name    name      NOT NULL,
    label        text      NOT NULL,
    label_plural text      NOT NULL,
    calls        text[]    NOT NULL,
    since        numeric(4,1) NOT NULL,
    parent       text,
    associate    text,
    CONSTRAINT sobject_pkey PRIMARY KEY (name),
    CONSTRAINT sobject_position_key UNIQUE (position),
    CONSTRAINT sobject_view_name_key UNIQUE (view_name)
);
COMMENT ON TABLE orchestration.sobject IS
    'Documented objects (contract/objects.csv); the reference calls an object sObject';
COMMENT ON COLUMN orchestration.sobject.calls IS
    'Calls that the reference offers on the object';
COMMENT ON COLUMN orchestration.sobject.since IS
    'API version that introduced the object';
COMMENT ON COLUMN orchestration.sobject.parent IS
    'Feed, History, OwnerSharingRule and Share objects: the object to which they belong';
COMMENT ON COLUMN orchestration.sobject.associate IS
    'Feed, History, OwnerSharingRule or Share; null: an object of its own';

CREATE TABLE orchestration.sobject_field (
    object            text    NOT NULL,
    position          integer NOT NULL,
    name              text    NOT NULL,
    column_name       name    NOT NULL,
    label             text    NOT NULL,
    type              text    NOT NULL,
    length            integer NOT NULL,
    properties        text[]  NOT NULL,
    since             numeric(4,1) NOT NULL,
    relationship_name text,
    refers_to         text[]  NOT NULL,
    CONSTRAINT sobject_field_pkey PRIMARY KEY (object, name),
    CONSTRAINT sobject_field_position_key UNIQUE (object, position),
    CONSTRAINT sobject_field_object_fkey FOREIGN KEY (object)
        REFERENCES orchestration.sobject (name)
);
COMMENT ON TABLE orchestration.sobject_field IS
    'Fields of the documented objects (contract/fields.csv)';
COMMENT ON COLUMN orchestration.sobject_field.column_name IS
    'Column of the view that shows the object';
COMMENT ON COLUMN orchestration.sobject_field.length IS
    'Maximum length in characters; 0 if the type has no length';
COMMENT ON COLUMN orchestration.sobject_field.properties IS
    'Properties of the field in the reference: Create, Filter, Group, Nillable, Sort, Update, ...';
COMMENT ON COLUMN orchestration.sobject_field.refers_to IS
    'Reference fields: the objects that the field may refer to';

CREATE TABLE orchestration.sobject_picklist_value (
    object   text    NOT NULL,
    field    text    NOT NULL,
    position integer NOT NULL,
    value    text    NOT NULL,
    label    text    NOT NULL,
    meaning  text,
    CONSTRAINT sobject_picklist_value_pkey PRIMARY KEY (object, field, value),
    CONSTRAINT sobject_picklist_value_position_key UNIQUE (object, field, position),
    CONSTRAINT sobject_picklist_value_field_fkey FOREIGN KEY (object, field)
        REFERENCES orchestration.sobject_field (object, name)
);
COMMENT ON TABLE orchestration.sobject_picklist_value IS
    'Values of picklists, in their order (contract/picklists.csv)';

CREATE TABLE orchestration.sobject_child_relationship (
    object            text    NOT NULL,
    child_object      text    NOT NULL,
    field             text    NOT NULL,
    relationship_name text    NOT NULL,
    cascade_delete    boolean NOT NULL,
    CONSTRAINT sobject_child_relationship_pkey PRIMARY KEY (object, relationship_name),
    CONSTRAINT sobject_child_relationship_object_fkey FOREIGN KEY (object)
        REFERENCES orchestration.sobject (name),
    CONSTRAINT sobject_child_relationship_field_fkey FOREIGN KEY (child_object, field)
        REFERENCES orchestration.sobject_field (object, name)
);
CREATE INDEX sobject_child_relationship_field_idx
    ON orchestration.sobject_child_relationship (child_object, field);
COMMENT ON TABLE orchestration.sobject_child_relationship IS
    'Fields of objects that refer to an object, with the name of the relationship on its side';

CREATE TABLE orchestration.sobject_layout (
    object text  NOT NULL,
    layout jsonb NOT NULL,
    CONSTRAINT sobject_layout_pkey PRIMARY KEY (object),
    CONSTRAINT sobject_layout_object_fkey FOREIGN KEY (object)
        REFERENCES orchestration.sobject (name)
);
COMMENT ON TABLE orchestration.sobject_layout IS
    'Layouts that administrators stored to replace the default ones; see set_layout()';
SELECT pg_catalog.pg_extension_config_dump('orchestration.sobject_layout', '');

"""Triggers that raise the version of terms, as an operation for migrations (of this app and above)."""

from django.db.migrations import RunSQL

TERMS_VERSION = RunSQL(
    """
    INSERT INTO providers_termsversion (id, version) VALUES (1, 1);
    CREATE SEQUENCE providers_terms_moves START 2;
    -- From a sequence: a change rolled back does not give its number to the next one, which would be taken for it.
    CREATE FUNCTION providers_terms_moved() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE public.providers_termsversion SET version = nextval('public.providers_terms_moves');
        RETURN NULL;
    END $$
    """,
    """
    DROP FUNCTION providers_terms_moved;
    DROP SEQUENCE providers_terms_moves;
    DELETE FROM providers_termsversion;
    """,
)


def moves_terms(table: str) -> RunSQL:
    """Any change of `table` raises the version, in the same transaction, whoever makes it."""
    return RunSQL(
        f"""
        CREATE TRIGGER {table}_moves_terms AFTER INSERT OR UPDATE OR DELETE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION providers_terms_moved()
        """,
        f"DROP TRIGGER {table}_moves_terms ON {table}",
    )

"""Triggers that raise the version of terms, as an operation for migrations (of this app and above)."""

from django.db.migrations import RunSQL

TERMS_VERSION = RunSQL(
    """
    INSERT INTO providers_termsversion (id, version) VALUES (1, 1);
    CREATE FUNCTION providers_terms_moved() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE providers_termsversion SET version = version + 1;
        RETURN NULL;
    END $$
    """,
    "DROP FUNCTION providers_terms_moved; DELETE FROM providers_termsversion",
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

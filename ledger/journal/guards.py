"""Guards that live in the database, as operations for migrations (of this app and those above it).

They hold for whoever is connected: triggers fire ALWAYS, also under session_replication_role = replica.
"""
# ruff: noqa: S608 - the parts are names of tables and columns in our own migrations

from django.db.migrations import RunSQL

# Postings in flight hold this advisory lock shared, locking a month takes it alone.
JOURNAL_LOCK = 7201
# Loads, imports, issue, expiry and closing exclude one another by this one.
RUN_LOCK = 7202

REFUSE_CHANGE = RunSQL(
    """
    CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'rows of % are written once: % is refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'integrity_constraint_violation', HINT = 'Post a reversal instead.';
    END $$
    """,
    "DROP FUNCTION ledger_refuse_change",
)

# See docs/decisions/0002-months-lock-by-watermark.md. Under READ COMMITTED each statement of a
# function sees what committed before it, so what is read after the lock was waited for is the truth.
# Tables are named with their schema: a temporary one of the caller's would be found before ours.
REFUSE_LOCKED_MONTH = RunSQL(
    f"""
    CREATE FUNCTION ledger_first_open_day() RETURNS date LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION 'postings need READ COMMITTED: an older snapshot cannot see a month being locked';
        END IF;
        PERFORM pg_advisory_xact_lock_shared({JOURNAL_LOCK});
        RETURN (SELECT (max(month) + interval '1 month')::date FROM public.ledger_period);
    END $$;

    CREATE FUNCTION ledger_refuse_locked_month() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        first_open date := ledger_first_open_day();
        refused date;
    BEGIN
        IF first_open IS NULL THEN
            RETURN NULL;
        END IF;
        IF TG_TABLE_NAME = 'ledger_entry' THEN
            SELECT min(dated_on) INTO refused FROM new_rows WHERE dated_on < first_open;
        ELSE
            SELECT min(e.dated_on) INTO refused
            FROM new_rows JOIN public.ledger_entry e ON e.id = new_rows.entry_id WHERE e.dated_on < first_open;
        END IF;
        IF refused IS NOT NULL THEN
            RAISE EXCEPTION 'the month of % is locked', refused
                USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_in_open_month';
        END IF;
        RETURN NULL;
    END $$;

    CREATE TRIGGER entry_in_open_month AFTER INSERT ON ledger_entry
        REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_locked_month();
    CREATE TRIGGER transfer_in_open_month AFTER INSERT ON ledger_transfer
        REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_locked_month();
    ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER entry_in_open_month;
    ALTER TABLE ledger_transfer ENABLE ALWAYS TRIGGER transfer_in_open_month;
    """,
    """
    DROP TRIGGER entry_in_open_month ON ledger_entry;
    DROP TRIGGER transfer_in_open_month ON ledger_transfer;
    DROP FUNCTION ledger_refuse_locked_month;
    DROP FUNCTION ledger_first_open_day;
    """,
)

ONE_COMMODITY = RunSQL(
    """
    ALTER TABLE ledger_transfer
        ADD CONSTRAINT transfer_debit_in_its_commodity
            FOREIGN KEY (debit_id, commodity) REFERENCES ledger_account (id, commodity),
        ADD CONSTRAINT transfer_credit_in_its_commodity
            FOREIGN KEY (credit_id, commodity) REFERENCES ledger_account (id, commodity);
    """,
    """
    ALTER TABLE ledger_transfer
        DROP CONSTRAINT transfer_debit_in_its_commodity, DROP CONSTRAINT transfer_credit_in_its_commodity;
    """,
)


def append_only(table: str) -> RunSQL:
    """UPDATE, DELETE and TRUNCATE of `table` are refused, whoever asks."""
    return RunSQL(
        f"""
        CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
        CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
        ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_written_once;
        ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_never_emptied;
        """,
        f"DROP TRIGGER {table}_written_once ON {table}; DROP TRIGGER {table}_never_emptied ON {table};",
    )


def emptied(table: str, **columns: str) -> RunSQL:
    """What `append_only` refused, less one thing: these columns may be emptied, each to its SQL value.

    For what is kept for a time or until the person asks for its erasure; nothing else of the row ever changes.
    """
    names = ", ".join(f"'{column}'" for column in columns)
    same = f"to_jsonb(NEW.*) - ARRAY[{names}] = to_jsonb(OLD.*) - ARRAY[{names}]"
    changed = "NEW.* IS DISTINCT FROM OLD.*"
    empty = " AND ".join(f"NEW.{column} IS NOT DISTINCT FROM {value}" for column, value in columns.items())
    return RunSQL(
        f"""
        DROP TRIGGER {table}_written_once ON {table};
        CREATE TRIGGER {table}_written_once BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN (NOT ({same} AND {empty} AND {changed})) EXECUTE FUNCTION ledger_refuse_change();
        CREATE TRIGGER {table}_never_deleted BEFORE DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
        ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_written_once;
        ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_never_deleted;
        """,
        f"""
        DROP TRIGGER {table}_written_once ON {table};
        DROP TRIGGER {table}_never_deleted ON {table};
        CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
        ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_written_once;
        """,
    )


def kept(table: str, *, changes_only: tuple[str, ...] = (), when: str = "") -> RunSQL:
    """DELETE and TRUNCATE are refused, and UPDATE of a column outside `changes_only`. Given the SQL condition
    `when` (it reads OLD) instead, only rows of which it holds are kept so.

    The columns are those of the day of the migration; naming them costs the permitted updates nothing.
    """
    if changes_only:
        allowed = ", ".join(f"'{column}'" for column in changes_only)
        update = f"""
        DO $$ BEGIN EXECUTE (
            SELECT format(
                'CREATE TRIGGER {table}_kept BEFORE UPDATE OF %s ON {table}
                    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change()',
                string_agg(quote_ident(attname), ', '))
            FROM pg_attribute
            WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped
                AND attname <> ALL (ARRAY[{allowed}]));
        END $$;
        """
    else:
        update = f"""
        CREATE TRIGGER {table}_kept BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION ledger_refuse_change();
        """
    return RunSQL(
        f"""
        CREATE TRIGGER {table}_never_deleted BEFORE DELETE ON {table}
            FOR EACH ROW {f"WHEN ({when})" if when else ""} EXECUTE FUNCTION ledger_refuse_change();
        CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
        {update}
        ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_never_deleted;
        ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_never_emptied;
        ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_kept;
        """,
        f"""
        DROP TRIGGER {table}_never_deleted ON {table};
        DROP TRIGGER {table}_never_emptied ON {table};
        DROP TRIGGER {table}_kept ON {table};
        """,
    )

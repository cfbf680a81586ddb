"""Migrations of Oscar's apps, ours: see MIGRATION_MODULES in the settings."""

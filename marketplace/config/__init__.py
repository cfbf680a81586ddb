"""How the project is put together: settings, servers, addresses. Nothing imports this package but manage.py."""

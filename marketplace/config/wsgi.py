import os
import signal

from django.core.wsgi import get_wsgi_application

from marketplace.config.process import end_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.config.settings")
if os.environ.get("YIQUAN_PROCESS") == "yiquan-web":
    # Without the web server's main process nobody would replace this one, nor see that it is missing.
    end_with_parent(signal.SIGTERM)
application = get_wsgi_application()

from django.contrib.admin import apps


class AdminConfig(apps.AdminConfig):
    """Django's admin with our own site (INSTALLED_APPS names it; `default` keeps it from being taken for leerpunt)."""

    default = False
    default_site = "leerpunt.admin.Site"

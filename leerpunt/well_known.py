"""Small text files at fixed addresses, for programs."""

from datetime import datetime, time, timedelta
from xml.etree.ElementTree import Element, SubElement, tostring

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

PLAIN = "text/plain; charset=utf-8"
OPENSEARCH = "http://a9.com/-/spec/opensearch/1.1/"  # a name, not an address that anybody asks
CLOSED = ("/admin/", "/aanmelden/", "/redactie/")
VALID = timedelta(days=180)  # RFC 9116 asks for less than a year


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Everything for readers may be read. A demonstration is kept out of search results by `noindex`, not here:
    what may not be read cannot be seen to say noindex."""
    lines = ["User-agent: *", *(f"Disallow: {prefix}" for prefix in CLOSED), "Allow: /", ""]
    lines.append(f"Sitemap: {settings.SITE_URL}{reverse('sitemap')}")
    return HttpResponse("\n".join([*lines, ""]), content_type=PLAIN)


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Where to report a weakness (RFC 9116); there is none without SECURITY_CONTACT in the environment."""
    contact = settings.SECURITY_CONTACT
    if not contact:
        raise Http404
    if "@" in contact and ":" not in contact:
        contact = f"mailto:{contact}"
    expires = timezone.make_aware(datetime.combine(timezone.localdate() + VALID, time.min))
    lines = [
        f"Contact: {contact}",
        f"Expires: {expires.isoformat()}",
        "Preferred-Languages: nl, en",
        f"Canonical: {settings.SITE_URL}{reverse('security-txt')}",
    ]
    return HttpResponse("\n".join([*lines, ""]), content_type=PLAIN)


@require_safe
def search_description(request: HttpRequest) -> HttpResponse:
    """How a browser searches this site from its address bar (OpenSearch 1.1)."""
    root = Element("OpenSearchDescription", xmlns=OPENSEARCH)
    SubElement(root, "ShortName").text = "Leerpunt"
    SubElement(root, "Description").text = _("Search what research says about teaching")
    SubElement(root, "InputEncoding").text = "UTF-8"
    SubElement(root, "Language").text = "nl-BE"
    SubElement(root, "Image", width="180", height="180", type="image/png").text = settings.SITE_URL + static(
        "img/icon-180.png"
    )
    template = f"{settings.SITE_URL}{reverse('search')}?q={{searchTerms}}"
    SubElement(root, "Url", type="text/html", method="get", template=template)
    return HttpResponse(
        tostring(root, encoding="utf-8", xml_declaration=True), content_type="application/opensearchdescription+xml"
    )

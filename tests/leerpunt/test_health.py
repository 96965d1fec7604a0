import pytest
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder

from leerpunt import health


def test_alive_without_a_database(client):
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Cache-Control"] == "private, no-store"


@pytest.mark.django_db
def test_ready(client):
    response = client.get("/readyz")
    assert (response.status_code, response.content) == (200, b"ok")


@pytest.mark.django_db
def test_not_ready_while_a_migration_is_missing(client):
    MigrationRecorder.Migration.objects.filter(app="practices").delete()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.content.decode() == "De databank mist migraties: voer migrate uit."


def test_not_ready_without_a_database(client, monkeypatch):
    def refuse(connection):
        raise OperationalError("no route")

    monkeypatch.setattr(health, "MigrationExecutor", refuse)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.content.decode() == "De databank antwoordt niet."


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_only_asked_never_told(client, path):
    assert client.post(path).status_code == 405

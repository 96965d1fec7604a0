from django.contrib.auth import views
from django.urls import path

from knowledgebase.editorial.views.preview import preview

from .accounts import ChoosePasswordView, ForgottenView, LogInView

NOINDEX = {"noindex": True}

urlpatterns = [
    path("aanmelden/", LogInView.as_view(), name="login"),
    path("aanmelden/wachtwoord-vergeten/", ForgottenView.as_view(), name="password_reset"),
    path(
        "aanmelden/wachtwoord-vergeten/verstuurd/",
        views.PasswordResetDoneView.as_view(extra_context=NOINDEX),
        name="password_reset_done",
    ),
    path("aanmelden/wachtwoord/<uidb64>/<token>/", ChoosePasswordView.as_view(), name="password_reset_confirm"),
    path(
        "aanmelden/wachtwoord/gekozen/",
        views.PasswordResetCompleteView.as_view(extra_context=NOINDEX),
        name="password_reset_complete",
    ),
    path("afmelden/", views.LogoutView.as_view(), name="logout"),
    path("admin/voorbeeld/<int:pk>/", preview, name="preview"),
]

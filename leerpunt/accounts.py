from typing import Any

from axes.utils import reset
from django import forms
from django.conf import settings
from django.contrib.auth import views
from django.contrib.auth.forms import SetPasswordForm
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from knowledgebase.editorial import notifications
from knowledgebase.models import Membership, OutboxMessage, User

DEMO_PASSWORD = "leerpunt-demo"  # noqa: S105  # public on purpose: it opens the demonstration and nothing else


class NoDemoPassword:
    """The password that everybody knows opens the demonstration only, whichever database a server is given.

    No BaseBackend: its get_user, which knows nobody, would be taken for that of whoever is logged in by code.
    """

    def authenticate(self, request: HttpRequest | None, password: str | None = None, **credentials: Any) -> None:
        if password == DEMO_PASSWORD and not settings.DEMO:
            raise PermissionDenied


class ForgottenForm(forms.Form):
    email = forms.EmailField(
        label=_("mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    def queue(self) -> None:
        """Have a link mailed to the accounts with this address; whoever asks learns nothing about them."""
        if not settings.EMAIL_IS_ON:
            return
        for user in User.objects.filter(email__iexact=self.cleaned_data["email"], is_active=True):
            notifications.send_link(OutboxMessage.Kind.RESET, user)


class ForgottenView(FormView):
    """Somebody asks for a link to a new password. The answer is the same whether or not the account exists."""

    form_class = ForgottenForm
    template_name = "registration/password_reset_form.html"
    success_url = reverse_lazy("password_reset_done")
    extra_context = {"noindex": True}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(mail_is_on=settings.EMAIL_IS_ON, **kwargs)

    def form_valid(self, form: ForgottenForm) -> HttpResponse:
        form.queue()
        return super().form_valid(form)


class ChoosePasswordView(views.PasswordResetConfirmView):
    """The page behind the link in a mail. Who chose a new password is no longer locked out."""

    extra_context = {"noindex": True}

    def form_valid(self, form: SetPasswordForm) -> HttpResponse:
        response = super().form_valid(form)
        reset(username=form.user.get_username())
        return response


class LogInView(views.LoginView):
    """Who sits in a commission goes on to the desk, other staff to the admin."""

    redirect_authenticated_user = True
    extra_context = {"noindex": True}

    def get_default_redirect_url(self) -> str:
        user = self.request.user
        is_seated = Membership.objects.active().filter(user=user.pk).exists()
        return reverse("admin:index" if user.is_staff and not is_seated else "desk")

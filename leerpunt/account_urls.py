from django.contrib.auth import views
from django.urls import path

from knowledgebase.editorial.views.preview import preview

urlpatterns = [
    path(
        "aanmelden/",
        views.LoginView.as_view(redirect_authenticated_user=True, extra_context={"noindex": True}),
        name="login",
    ),
    path("afmelden/", views.LogoutView.as_view(), name="logout"),
    path("admin/voorbeeld/<int:pk>/", preview, name="preview"),
]

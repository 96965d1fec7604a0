"""Plain tables instead of a text with all words. The index is empty after this: `manage.py rebuild_search` fills it."""

import django.db.models.deletion
from django.db import migrations, models

POSTING = "knowledgebase_searchposting"
PREFIXES = {
    "search_word_by_beginning": ("knowledgebase_searchword", "index_id, {folded}"),
    "search_title_by_beginning": ("knowledgebase_searchtitleword", "index_id, {folded}, entry_id"),
}


def make_tables(apps, schema_editor):
    """The postings are read through their one index, without the rows: in SQLite the table is that index."""
    columns = "term_id integer NOT NULL, entry_id integer NOT NULL, impact smallint NOT NULL"
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"CREATE TABLE {POSTING} ({columns}, PRIMARY KEY (term_id, entry_id) INCLUDE (impact))")
    else:
        schema_editor.execute(f"CREATE TABLE {POSTING} ({columns}, PRIMARY KEY (term_id, entry_id)) WITHOUT ROWID")


def drop_tables(apps, schema_editor):
    schema_editor.execute(f"DROP TABLE {POSTING}")


def make_indexes(apps, schema_editor):
    """Words by how they begin, in the order of code points whatever the collation of the database."""
    folded = 'folded COLLATE "C"' if schema_editor.connection.vendor == "postgresql" else "folded"
    for name, (table, columns) in PREFIXES.items():
        schema_editor.execute(f"CREATE INDEX {name} ON {table} ({columns.format(folded=folded)})")


def drop_indexes(apps, schema_editor):
    for name in PREFIXES:
        schema_editor.execute(f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = [
        ("knowledgebase", "0008_link_checks"),
    ]

    operations = [
        migrations.DeleteModel("SearchEntry"),
        migrations.CreateModel(
            name="SearchIndex",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_live", models.BooleanField(default=False)),
                ("analysis_version", models.CharField(max_length=40)),
                ("base", models.IntegerField()),
                ("made_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_live", True)), fields=("is_live",), name="one_index_is_live"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                (
                    "index",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="entries",
                        to="knowledgebase.searchindex",
                    ),
                ),
                ("kind", models.CharField(max_length=20)),
                ("object_id", models.BigIntegerField()),
                ("boost", models.SmallIntegerField()),
                ("tie", models.BigIntegerField()),
                ("key", models.CharField(max_length=100)),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="SearchPosting",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "term_id", "entry_id", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("term_id", models.IntegerField()),
                        ("entry_id", models.IntegerField()),
                        ("impact", models.SmallIntegerField()),
                    ],
                ),
            ],
            database_operations=[migrations.RunPython(make_tables, drop_tables)],
        ),
        migrations.CreateModel(
            name="SearchText",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="text",
                        serialize=False,
                        to="knowledgebase.searchentry",
                    ),
                ),
                ("title", models.CharField(max_length=400)),
                ("url", models.CharField(max_length=500)),
                ("summary", models.TextField()),
                ("body", models.TextField()),
                ("keys", models.TextField()),
                ("words", models.TextField()),
                ("terms", models.TextField()),
                ("facets", models.TextField()),
                ("weighs", models.BooleanField()),
                ("digest", models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="SearchMiss",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="day")),
                ("query", models.CharField(max_length=200, verbose_name="query")),
                ("times", models.PositiveIntegerField(default=1, verbose_name="times")),
            ],
            options={
                "verbose_name": "query without result",
                "verbose_name_plural": "queries without result",
                "ordering": ["-day", "-times", "query"],
                "constraints": [models.UniqueConstraint(fields=("day", "query"), name="miss_is_counted_per_day")],
            },
        ),
        migrations.CreateModel(
            name="SearchTerm",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=60)),
                ("df", models.IntegerField()),
                ("uses", models.IntegerField()),
                (
                    "index",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="terms",
                        to="knowledgebase.searchindex",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SearchTitleWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("folded", models.CharField(max_length=60)),
                ("is_title", models.BooleanField()),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="title_words",
                        to="knowledgebase.searchentry",
                    ),
                ),
                (
                    "index",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="knowledgebase.searchindex",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("word", models.CharField(max_length=60)),
                ("folded", models.CharField(max_length=60)),
                ("df", models.IntegerField()),
                (
                    "index",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="words",
                        to="knowledgebase.searchindex",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SearchFacet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=110)),
                ("data", models.BinaryField()),
                (
                    "index",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="facets",
                        to="knowledgebase.searchindex",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("index", "name"), name="facet_is_unique_in_index")],
            },
        ),
        migrations.AddConstraint(
            model_name="searchentry",
            constraint=models.UniqueConstraint(fields=("index", "kind", "object_id"), name="entry_is_unique_in_index"),
        ),
        migrations.AddConstraint(
            model_name="searchterm",
            constraint=models.UniqueConstraint(fields=("index", "key"), name="term_is_unique_in_index"),
        ),
        migrations.AddConstraint(
            model_name="searchword",
            constraint=models.UniqueConstraint(fields=("index", "word"), name="word_is_unique_in_index"),
        ),
        migrations.RunPython(make_indexes, drop_indexes),
    ]

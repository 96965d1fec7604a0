"""What research says: people, vocabularies, sources and versioned texts.

models/      the tables; one module per concept, all re-exported by knowledgebase.models
editorial/   how a text becomes public: the verbs, who may, copies and hashes of versions
rendering.py Markdown with tokens and citations to safe HTML
records.py   references from RIS, BibTeX and the registries of DOIs (registries.py); citations.py writes them
link_checks.py   whether links of sources still work; web.py asks other sites, politely
search/      finding texts by words
views/ forms templatetags/ admin/   the pages of this app; the texts of both apps share editorial/admin.py

Practices build on this app; this app knows nothing of practices.
"""

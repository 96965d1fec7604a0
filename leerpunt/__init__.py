"""The composition root: settings, addresses and the pages that show both apps."""

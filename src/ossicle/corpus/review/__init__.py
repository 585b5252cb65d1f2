"""Review rounds: what is worth a look, the tables that go out, the answers that come back."""

"""How the model `compact` is trained on FER2013's faces. Read `__main__` first."""

"""How the model `compact` is trained, from FER2013's faces. Read `__main__` first."""

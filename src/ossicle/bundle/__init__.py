"""The bundle: everything needed to run a model elsewhere. Its format, its model card and its runtimes. Needs no
torch.
"""

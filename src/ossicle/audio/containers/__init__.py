"""What lies in an audio file, read from its own structure: the streams of sound, where they end, and what is missing.

Decoders believe a file's header and stop at the end of its first stream. Headers of pipes and of recorders that lost
their power count wrongly, and files are joined end to end; so the structure is read here, and a file that holds more
than its header says is read on, or its recording is called partial.
"""

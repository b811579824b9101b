"""Streams every (window, next token) pair of a text corpus to a bidirectional LSTM, and writes new text."""

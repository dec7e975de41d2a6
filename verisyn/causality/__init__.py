"""What causes what: told by a person, or proposed from data and confirmed; what-if questions follow the arrows.

In story order: ``told`` reads what a person says · ``proposal`` proposes arrows from data (``embedding``, ``search``,
``classes``) · ``graph`` turns arrows into an order to learn in, and says what responds · ``unexplained`` says what the
arrows leave unexplained · ``pairs`` draws rows before and after a change.
"""

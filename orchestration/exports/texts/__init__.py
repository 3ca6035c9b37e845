"""The analyst's own text in the pack: files in Markdown, figures by reference, and their check.

``text_files`` finds the file in force of each part, ``text_blocks`` reads it, ``references`` and
``figure_catalogue`` put figures into it, ``number_check`` looks for typed numbers that the release
contradicts, and ``pack_texts`` gives the pack what it shows. ``docs/texts.md`` is for analysts.
"""

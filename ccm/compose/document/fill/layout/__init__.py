"""Laying out: lines, blocks, flex boxes, tables and pictures, with their widths, heights and places."""

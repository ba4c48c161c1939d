"""The window. The only place that imports PySide6 or pyqtgraph; never imports torch."""

"""The workbench: a web page on this machine in which people check, correct and agree."""

"""Typed model of the rule tables and its validation; imports neither Spark nor Airflow."""

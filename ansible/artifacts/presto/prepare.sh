#!/bin/sh
# Parts the command line from the server's jars, and puts our HiveVersionInfo before Hive's: jars are read in the order of their names.
# Usage: prepare.sh FOLDER
set -eu
here=$(dirname "$0") folder=$1
mv "$folder"/lib/presto-cli-*-executable.jar "$folder/cli.jar"
mkdir "$folder/classes"
java -jar "$folder"/lib/ecj-*.jar -source 8 -target 8 -nowarn -d "$folder/classes" "$here/HiveVersionInfo.java"
(cd "$folder/classes" && python3 -m zipfile -c ../plugin/hive-hadoop2/00-hive-version.jar org)
rm -r "$folder/classes" "$folder"/lib/ecj-*.jar

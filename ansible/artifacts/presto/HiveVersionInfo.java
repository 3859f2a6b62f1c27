package org.apache.hive.common.util;

/**
 * Hides Hive's class of this name from Presto's hive plugin. Hudi's reader asks it which Hive it runs on, and for the true
 * answer it reads dates in a way that Presto's Hive lacks: a merged row with a DATE would fail with a NullPointerException.
 */
public final class HiveVersionInfo {
    private static final String VERSION = "2.3.9";
    private static final String UNKNOWN = "Unknown";

    private HiveVersionInfo() {}

    public static String getVersion() {
        return VERSION;
    }

    public static String getShortVersion() {
        return VERSION;
    }

    public static String getRevision() {
        return UNKNOWN;
    }

    public static String getBranch() {
        return UNKNOWN;
    }

    public static String getDate() {
        return UNKNOWN;
    }

    public static String getUser() {
        return UNKNOWN;
    }

    public static String getUrl() {
        return UNKNOWN;
    }

    public static String getSrcChecksum() {
        return UNKNOWN;
    }

    public static String getBuildVersion() {
        return VERSION;
    }
}

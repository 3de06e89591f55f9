# Parameters of JDBC addresses that concern the driver they were written for alone. Pure text; opens nothing.
"""`drop_unused`: an address of a script goes on working where another driver, or none, reads it.

Named here is only what changes no value, no row and no right: caches, batches, buffers, logs, what a driver remembers
of statements, the zone in which it takes clocks that are told in UTC here. Some change nothing with certain values
alone. What would have to be heeded, and cannot be, is refused by the kind that reads the address.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from pipekit.drivers.urls import list_parameters


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """An address without the parameters that are not used, and their names as they were written."""

    jdbc_url: str
    names: tuple[str, ...] = ()


def _names(text: str) -> frozenset[str]:
    return frozenset(name.replace("_", " ") for name in text.lower().split())


_POSTGRESQL = _names(
    "adaptiveFetch adaptiveFetchMaximum adaptiveFetchMinimum allowEncodingChanges assumeMinServerVersion autosave"
    " binaryTransfer binaryTransferDisable binaryTransferEnable cancelSignalTimeout charSet cleanupSavepoints"
    " databaseMetadataCacheFields databaseMetadataCacheFieldsMiB defaultRowFetchSize disableColumnSanitiser"
    " escapeSyntaxCallMode groupStartupParameters hideUnprivilegedObjects hostRecheckSeconds loadBalanceHosts"
    " loggerLevel logLevel logServerErrorDetail logUnclosedConnections maxResultBuffer preferQueryMode"
    " prepareThreshold preparedStatementCacheQueries preparedStatementCacheSizeMiB protocolVersion"
    " gssResponseTimeout maxSendBufferSize pemKeyAlgorithm queryTimeout readOnlyMode sslResponseTimeout"
    " quoteReturningIdentifiers receiveBufferSize reWriteBatchedInserts sendBufferSize socketTimeout stringtype"
    " tcpKeepAlive tcpNoDelay unknownLength"
)
_MYSQL = _names(
    "allowPublicKeyRetrieval autoReconnect autoReconnectForPools cacheCallableStmts cachePrepStmts"
    " cacheResultSetMetadata cacheServerConfiguration callableStmtCacheSize characterEncoding dontTrackOpenResources"
    " elideSetAutoCommits enableQueryTimeouts gatherPerfMetrics initialTimeout interactiveClient logSlowQueries"
    " maintainTimeStats maxReconnects noAccessToProcedureBodies nullCatalogMeansCurrent prepStmtCacheSize"
    " prepStmtCacheSqlLimit slowQueryThresholdMillis tcpNoDelay tcpRcvBuf tcpSndBuf useBatchMultiSend"
    " useInformationSchema useLocalSessionState useLocalTransactionState usePipelineAuth useReadAheadInput"
    " useServerPrepStmts useUnbufferedInput useUnicode"
    # MySQL's driver, today's and those before it.
    " alwaysSendSetIsolation autoClosePStmtStreams autoSlowLog blobSendChunkSize cacheDefaultTimeZone"
    " clobberStreamingResults compensateOnDuplicateKeyUpdateCounts connectionTimeZone detectCustomCollations"
    " disconnectOnExpiredPasswords dontCheckOnDuplicateKeyUpdateInSQL dumpQueriesOnException emulateUnsupportedPstmts"
    " enablePacketDebug explainSlowQueries failOverReadOnly forceConnectionTimeZoneToSession"
    " generateSimpleParameterMetadata getProceduresReturnsFunctions holdResultsOpenOverStatementClose"
    " ignoreNonTxTables includeInnodbStatusInDeadlockExceptions includeThreadDumpInDeadlockExceptions"
    " includeThreadNamesAsStatementComment largeRowSizeThreshold locatorFetchBufferSize logXaCommands"
    " maxAllowedPacket maxQuerySizeToLog metadataCacheSize netTimeoutForStreamingResults noDatetimeStringSync"
    " noTimezoneConversionForDateType noTimezoneConversionForTimeType nullDatabaseMeansCurrent"
    " overrideSupportsIntegrityEnhancementFacility packetDebugBufferSize paranoid pedantic"
    " pinGlobalTxToPhysicalConnection populateInsertRowWithDefaultValues preserveInstants"
    " processEscapeCodesForPrepStmts queriesBeforeRetryMaster queriesBeforeRetrySource queryTimeoutKillsConnection"
    " readOnlyPropagatesToServer reconnectAtTxEnd reportMetricsIntervalMillis resultSetSizeThreshold retriesAllDown"
    " rollbackOnPooledClose scrollTolerantForwardOnly secondsBeforeRetryMaster secondsBeforeRetrySource"
    " serverTimezone slowQueryThresholdNanos strictUpdates tcpKeepAlive tcpTrafficClass timezone trackSessionState"
    " treatUtilDateAsTimestamp useAffectedRows useColumnNamesInFindColumn useDynamicCharsetInfo useFastDateParsing"
    " useFastIntParsing useGmtMillisForDatetimes useHostsInPrivileges useJDBCCompliantTimezoneShift"
    " useJvmCharsetConverters useLegacyDatetimeCode useNanosForElapsedTime useOnlyServerErrorMessages"
    " useSSPSCompatibleTimezoneShift useStreamLengthsInPrepStmts useTimezone useUsageAdvisor"
    # MariaDB's.
    " assureReadOnly blankTableNameMeta defaultFetchSize disablePipeline ensureSocketState failoverLoopRetries"
    " loadBalanceBlacklistTimeout maxIdleTime maxPoolSize maximizeMysqlCompatibility minPoolSize permitMysqlScheme"
    " permitNoResults pool poolName poolValidMinDelay staticGlobal trackSchema transactionReplay"
    " transactionReplaySize useBulkStmts useBulkStmtsForInserts useBatchMultiSendNumber useCatalogTerm"
    " useMysqlMetadata useResetConnection validConnectionTimeout"
)
_UNUSED: Mapping[str, frozenset[str]] = {
    "postgresql": _POSTGRESQL,
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "sqlserver": _names(
        "cacheBulkCopyMetadata cancelQueryTimeout calcBigDecimalPrecision datetimeParameterType delayLoadingLobs"
        " disableStatementPooling enablePrepareOnFirstPreparedStatementCall lastUpdateCount lockTimeout"
        " maxResultBuffer prepareMethod queryTimeout responseBuffering selectMethod sendStringParametersAsUnicode"
        " sendTemporalDataTypesAsStringForBulkCopy sendTimeAsDatetime serverPreparedStatementDiscardThreshold"
        " socketTimeout statementPoolingCacheSize transparentNetworkIPResolution useBulkCopyForBatchInsert"
        " useDefaultJaasConfig useFmtOnly workstationID xopenStates"
        " bulkCopyForBatchInsertAllowEncryptedValueModifications"
        " bulkCopyForBatchInsertBatchSize bulkCopyForBatchInsertCheckConstraints"
        " bulkCopyForBatchInsertFireTriggers"
        " bulkCopyForBatchInsertKeepIdentity bulkCopyForBatchInsertKeepNulls bulkCopyForBatchInsertTableLock"
        " connectRetryCount connectRetryInterval iPAddressPreference serverNameAsACE vectorTypeSupport"
    ),
    "as400": _names(
        "date_separator extended_dynamic full_open hold_statements jvm16_synchronize lazy_close"
        " maximum_blocked_input_rows package package_add package_cache package_ccsid package_clear package_criteria"
        " package_error package_library prefetch remarks save_password_when_serialized time_separator"
        " XA_loosely_coupled_support"
    ),
    "h2": _names(
        "AUTO_RECONNECT CACHE_SIZE CACHE_TYPE DB_CLOSE_DELAY DB_CLOSE_ON_EXIT DEFRAG_ALWAYS LOCK_MODE LOG"
        " MAX_COMPACT_TIME MULTI_THREADED MVCC MV_STORE OPEN_NEW QUERY_CACHE_SIZE REUSE_SPACE WRITE_DELAY"
    ),
    "hsqldb": _names("hsqldb.cache_rows hsqldb.cache_size hsqldb.nio_data_file hsqldb.nio_max_size hsqldb.sqllog"),
    "oracle": _names(
        "defaultBatchValue defaultRowPrefetch oracle.jdbc.defaultRowPrefetch oracle.jdbc.implicitStatementCacheSize"
        " oracle.jdbc.maxCachedBufferSize oracle.net.keepAlive remarksReporting"
    ),
    "sqlite": _names(
        "cache_size date_class date_precision date_string_format journal_mode journal_size_limit page_size synchronous"
        " temp_store transaction_mode"
    ),
}
# Nothing with one of these values: what it says is so here, or there is no choice, as the address has one host.
_IDLE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "as400": {
        "auto commit": ("true",),
        "autocommit exception": ("false",),
        "behavior override": ("0",),
        "big decimal": ("true",),
        "driver": ("toolbox",),
        "server trace": ("0",),
        "timestamp format": ("iso",),
        "trace": ("false",),
        "translate boolean": ("true",),
        "true autocommit": ("false",),
    },
    "postgresql": {
        "channelbinding": ("disable", "prefer"),
        "gssencmode": ("disable", "allow", "prefer"),
        "readonly": ("false",),
        "sslnegotiation": ("postgres",),
        "targetservertype": ("any", "preferprimary", "prefersecondary", "preferslave", "preferstandby"),
    },
    "mysql": {"jdbccomplianttruncation": ("true",), "sendfractionalseconds": ("true",)},
    "mariadb": {
        "jdbccomplianttruncation": ("true",),
        "sendfractionalseconds": ("true",),
        "zerodatetimebehavior": ("exception",),
    },
    "sqlserver": {
        "columnencryptionsetting": ("disabled",),
        "concatnullyieldsnull": ("on",),
        "quotedidentifier": ("on",),
    },
}
_SCHEME = re.compile(r"jdbc:([a-z0-9+-]+):", re.IGNORECASE)


def drop_unused(jdbc_url: str, heeded: Collection[str] = ()) -> Kept:
    """The address without those parameters; `heeded` are names, in lower case, that its driver does know."""
    found = _SCHEME.match(jdbc_url)
    scheme = found[1].lower() if found else ""
    head, separator, items = list_parameters(jdbc_url)
    kept: list[str] = []
    names: list[str] = []
    for item in items:
        name, _, value = (unquote(part).strip() for part in item.partition("="))
        is_unused = name.lower() not in heeded and _is_unused(scheme, name, value)
        (names if is_unused else kept).append(item)
    if not names:
        return Kept(jdbc_url=jdbc_url)
    joined = ("&" if separator == "?" else ";").join(kept)
    shown = tuple(unquote(item.partition("=")[0]).strip() for item in names)
    return Kept(jdbc_url=f"{head}{separator}{joined}" if joined else head, names=shown)


def _is_unused(scheme: str, name: str, value: str) -> bool:
    folded = " ".join(name.lower().replace("_", " ").split())
    is_idle = value.lower() in _IDLE.get(scheme, {}).get(folded, ())
    return is_idle or folded in _UNUSED.get(scheme, frozenset())

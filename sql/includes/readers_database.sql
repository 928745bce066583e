replaceRegexpOne(currentDatabase(), '_internal$', '')

{{ask}} - {{bid}}

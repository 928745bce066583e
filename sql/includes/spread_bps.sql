10000 * ({{include spread bid={{bid}} ask={{ask}}}}) / ({{include mid bid={{bid}} ask={{ask}}}})

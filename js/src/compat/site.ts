/** The regions of Kii Cloud, by the URLs of their REST APIs. Any other URL is a site, too. */
export const KiiSite = {
  US: "https://api.kii.com/api",
  JP: "https://api-jp.kii.com/api",
  SG: "https://api-sg.kii.com/api",
  EU: "https://api-eu.kii.com/api",
} as const;

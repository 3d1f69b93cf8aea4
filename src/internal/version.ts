/** What the services are told we are; a test holds it equal to the package's version. */
export const version = "0.1.0"

/** The version that requests send to the services. A test checks that the package has the same. */
export const version = "0.1.0"

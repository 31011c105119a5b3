export const DECLARATIONS = "";

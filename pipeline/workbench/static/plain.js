// A page without writes of its own: the keys that every page has.
import { listen } from "./common.js";

listen({});

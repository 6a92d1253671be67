// What a page gains from scripts; each page works without them.
import "htmx.org/dist/htmx.min.js"; // already as small as it gets
import { ahead } from "./js/ahead.js";
import { countdowns } from "./js/countdown.js";
import { keyboard } from "./js/keyboard.js";
import { menus } from "./js/menus.js";
import { folds } from "./js/folds.js";
import { forms } from "./js/forms.js";
import { uploads } from "./js/uploads.js";
import { watching } from "./js/watching.js";

countdowns();
keyboard();
menus();
folds();
forms();
uploads();
ahead();
watching();

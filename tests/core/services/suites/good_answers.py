"""A good answer to each built-in item with checks: written here, or made from its constraints where they say "
"it all."""

from __future__ import annotations

import json

from core.domain.suite import SuiteItem

GOOD: dict[str, str] = {
    "lists-03": "- Go to bed at the same hour.\n- Keep the room dark.\n- Drink no coffee at night.\n- Put the "
    "phone away.",
    "length-01": "Air scatters the short waves of blue light more than the longer red waves, so blue reaches us from "
    "everywhere.",
    "length-02": "A lemon is sour and fresh, with a slightly bitter peel.",
    "length-03": "Hi, I am sorry, I will be ten minutes late!",
    "length-04": "Plants make sugar from light. Their leaves take carbon dioxide from the air and water from "
    "the soil. "
    "Chlorophyll, the green matter in the leaves, catches the energy of the sun and joins both into sugar. What "
    "is left "
    "over is oxygen, which the plant gives back to the air that we breathe.",
    "length-05": "The moon goes around the earth in about 27.3 days.",
    "length-06": "Dark clouds cover the sky. Lightning flashes, and thunder rolls over the hills. Then the rain "
    "comes down.",
    "length-07": "A pump presses a cold liquid through pipes inside the box. It takes up the heat of the "
    "food.\n\nOutside, "
    "the heat is given to the air of the kitchen. Then the round begins again.",
    "length-08": "This bottle goes wherever you go. Its double wall keeps water cold for a whole day and tea "
    "warm for "
    "twelve hours. The lid closes tight with half a turn, so nothing drips into your bag. The steel is light, "
    "takes no "
    "taste and can be washed in the machine. It holds three quarters of a litre and fits into every cup holder. "
    "Choose "
    "among five colours.",
    "length-09": "It is cold and dark.",
    "length-10": "Cinderella works hard for her stepmother. With a little magic she dances with the prince and "
    "loses a "
    "shoe. He finds her by the shoe and marries her.",
    "signs-01": "THE TRAIN LEAVES AT NOON.",
    "signs-02": "tokyo.",
    "signs-03": "In autumn the leaves turn red and fall slowly to the ground.",
    "signs-04": "Do you think that it will rain today?",
    "signs-05": "Hello, and welcome to you!",
    "signs-06": "FRESH BREAD EVERY MORNING!",
    "signs-07": "tree, house, river",
    "signs-08": "And then the door opened slowly...",
    "contents-01": "The ladder leans on the apple tree. After the rain the beds smell of earth.",
    "contents-02": "A bank keeps the savings of its customers safe and lends to those who need a loan.",
    "contents-03": "Dear Ms. Novak,\n\nthank you for your offer.\n\nKind regards\nAnn",
    "contents-04": "The largest ocean is the Pacific Ocean. That is all.",
    "contents-05": "Yes, ice is lighter than water; that is why it floats.",
    "contents-06": "See you on Tuesday at noon in front of the library.",
    "contents-07": "Read The Secret Garden: it is about friendship and a hidden place.",
    "contents-08": "Dear Amira, thank you so much for the flowers.",
    "contents-09": "A bridge is a way over a river, a road or a valley.",
    "contents-10": "Snow falls in soft flakes, covers the fields and makes everything quiet.",
    "languages-01": "Guten Morgen, meine Freunde.",
    "languages-02": "Desayuno pan con tomate y un café.",
    "languages-03": "Une bibliothèque est un lieu où l'on peut lire et emprunter des livres.",
    "languages-04": "Im Herbst fallen die bunten Blätter von den Bäumen.",
    "languages-05": "The cat is sleeping on the sofa.",
    "languages-06": "草是绿色的。",
    "languages-08": "عاصمة مصر هي القاهرة.",
    "rewriting-03": "I have received your letter.",
    "rewriting-06": "Could you please give me the report?",
    "lists-03.de": "1. Geh immer zur gleichen Zeit ins Bett.\n2. Mach das Zimmer dunkel.\n3. Trink am Abend "
    "keinen Kaffee."
    "\n4. Leg das Telefon weg.",
    "length-01.de": "Die Luft streut das blaue Licht stärker als das rote, und darum kommt es von allen Seiten zu uns.",
    "length-02.de": "Eine Zitrone schmeckt sauer und frisch, und die Schale ist ein wenig bitter.",
    "length-05.de": "Der Mond kreist in rund 27,3 Tagen um die Erde.",
    "length-06.de": "Dunkle Wolken ziehen auf. Es blitzt, und der Donner rollt über die Hügel. Dann kommt der Regen.",
    "length-07.de": "Eine Pumpe drückt eine kalte Flüssigkeit durch die Rohre im Schrank. Sie nimmt die Wärme "
    "auf.\n\nAußen "
    "gibt sie die Wärme an die Luft ab, und der Kreislauf beginnt von vorn.",
    "length-10.de": "Aschenputtel muss für die Stiefmutter arbeiten. Auf dem Ball verliert sie einen Schuh. Der "
    "Prinz findet "
    "sie und nimmt sie zur Frau.",
    "signs-04.de": "Glaubst du, dass es heute regnet?",
    "contents-04.de": "Der größte Ozean ist der Pazifik, auch Pazifischer Ozean. Das ist alles.",
    "contents-05.de": "Ja, Eis ist leichter als Wasser und schwimmt darum.",
    "lists-03.fr": "- Se coucher à la même heure.\n- Garder la chambre dans le noir.\n- Ne pas boire de café le "
    "soir.\n- Poser "
    "le téléphone loin du lit.",
    "length-01.fr": "L'air disperse plus la lumière bleue que la lumière rouge, et le bleu nous arrive donc de "
    "partout.",
    "length-02.fr": "Le citron est acide et frais, avec une pointe amère dans le zeste.",
    "length-05.fr": "La lune tourne autour de la terre en 27,3 jours environ.",
    "length-06.fr": "Des nuages noirs couvrent le ciel. Il y a des éclairs et le tonnerre gronde. Puis la pluie tombe.",
    "length-07.fr": "Une pompe pousse un liquide froid dans les tuyaux. Il prend la chaleur des "
    "aliments.\n\nDehors, la chaleur "
    "passe dans l'air de la cuisine, et le cycle recommence.",
    "length-10.fr": "Cendrillon travaille pour sa belle-mère. Elle danse avec le prince et perd une chaussure. "
    "Il la retrouve "
    "et ils se marient.",
    "signs-04.fr": "Est-ce que tu penses qu'il va pleuvoir ?",
    "contents-04.fr": "Le plus grand océan est l'océan Pacifique. C'est tout.",
    "contents-05.fr": "Oui, la glace est plus légère que l'eau, et elle flotte donc.",
    "lists-03.es": "1. Acuéstate siempre a la misma hora.\n2. Deja la habitación a oscuras.\n3. No tomes café "
    "por la noche.\n"
    "4. Aparta el teléfono de la cama.",
    "length-01.es": "El aire dispersa más la luz azul que la roja, y por eso el azul nos llega desde todas partes.",
    "length-02.es": "El limón es ácido y fresco, con un toque amargo en la piel.",
    "length-05.es": "La luna gira alrededor de la tierra en unos 27,3 días.",
    "length-06.es": "Las nubes negras cubren el cielo. Hay relámpagos y suena el trueno. Después cae la lluvia.",
    "length-07.es": "Una bomba empuja un líquido frío por los tubos. El líquido toma el calor de la "
    "comida.\n\nFuera, el calor "
    "pasa al aire de la cocina y el ciclo empieza de nuevo.",
    "length-10.es": "Cenicienta trabaja para su madrastra. Baila con el príncipe y pierde un zapato. Él la "
    "encuentra y se "
    "casan.",
    "signs-04.es": "¿Crees que va a llover esta tarde?",
    "contents-04.es": "El océano más grande es el Pacífico. Eso es todo.",
    "contents-05.es": "Sí, el hielo es más ligero que el agua y por eso flota.",
    "lists-03.zh": "1. 每天在同一时间睡觉。\n2. 让房间保持黑暗。\n3. 晚上不喝咖啡。\n4. 睡前放下手机。",
    "length-01.zh": "空气对蓝光的散射比红光强，所以蓝光从四面八方进入我们的眼睛。",
    "length-02.zh": "柠檬又酸又清新，皮有一点苦。",
    "length-05.zh": "月亮大约每27.3天绕地球一圈。",
    "length-06.zh": "乌云布满天空。闪电过后雷声滚滚。接着大雨落下。",
    "length-07.zh": "压缩机把冷的液体送进管道，液体吸收食物的热量。\n\n在外面，热量散到空气里，然后循环重新开始。",
    "length-10.zh": "灰姑娘为继母干活。她和王子跳舞，丢了一只鞋。王子凭鞋找到她，他们结婚了。",
    "signs-04.zh": "你觉得今天会下雨吗？",
    "contents-04.zh": "最大的海洋是太平洋。就这些。",
    "contents-05.zh": "是，冰比水轻，所以会浮起来。",
    "lists-03.ar": "- نم في الوقت نفسه كل ليلة.\n- اجعل الغرفة مظلمة.\n- لا تشرب القهوة مساء.\n- ضع الهاتف بعيدا.",
    "length-01.ar": "يشتت الهواء الضوء الأزرق أكثر من الضوء الأحمر، فيصل الأزرق إلينا من كل جهة.",
    "length-02.ar": "طعم الليمون حامض ومنعش، وفي قشره قليل من المرارة.",
    "length-05.ar": "يدور القمر حول الأرض في نحو سبعة وعشرين يوما.",
    "length-06.ar": "تغطي الغيوم السوداء السماء. يلمع البرق ويدوي الرعد. ثم ينزل المطر.",
    "length-07.ar": "تدفع مضخة سائلا باردا في الأنابيب، فيأخذ حرارة الطعام.\n\nوفي الخارج تنتقل الحرارة إلى "
    "الهواء، ثم تبدأ "
    "الدورة من جديد.",
    "length-10.ar": "كانت سندريلا تعمل عند زوجة أبيها. رقصت مع الأمير وفقدت حذاءها. وجدها الأمير وتزوجها.",
    "signs-04.ar": "هل تظن أن المطر سينزل اليوم؟",
    "contents-04.ar": "أكبر محيط هو المحيط الهادئ. هذا كل شيء.",
    "contents-05.ar": "نعم، الجليد أخف من الماء ولذلك يطفو.",
}


def good_answer(item: SuiteItem) -> str:
    """Return the written answer, that of *basics* for English ones, or one that the constraints spell out."""
    for key in (item.id, item.id.removesuffix(".en")):
        if key in GOOD:
            return GOOD[key]
    asked = {constraint.kind: constraint.value for constraint in item.constraints}
    contained = [asked[kind] for kind in ("contains", "contains_any") if kind in asked]
    words = [word for one in contained for word in ([one] if isinstance(one, str) else one)]
    if "number" in asked:
        return f"{asked['number']}"
    if "last_number" in asked:
        return f"I count 1, 2, 3: it is {asked['last_number']}."
    if "one_of" in asked:
        return f"{asked['one_of'][0]}."
    if "bullets" in asked:
        count = asked["bullets"] if isinstance(asked["bullets"], int) else asked["bullets"]["at_least"]
        return "\n".join(f"{n}. {word}" for n, word in enumerate((words + ["x"] * count)[:count], 1))
    if "json" in asked:
        keys = asked["json"]
        text = ", ".join(words) if words else "red"
        value = [1] if keys is True else dict.fromkeys(keys, text)
        return json.dumps(words or [] if keys is True else value, ensure_ascii=False)
    return " ".join(words)
